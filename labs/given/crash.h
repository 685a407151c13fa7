/* Says where a program crashed, also in a child that it cloned. */
#pragma once

/* Installs handlers for the signals of a crash, on a stack of their own (a stack overflow is one
 * of the crashes). They print "NAME: crashed: signal S at +0x… +0x…" on stderr, offsets into the
 * program that addr2line(1) turns into lines, and let the signal have its way. */
void crash_report(const char *program);
