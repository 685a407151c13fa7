# The home of uid 1000. If this file seems to belong to 65534 (nobody), the id 1000 is not mapped
# in your user namespace; if it belongs to root, only one id is: see lab 08.
cd "$HOME" || return
