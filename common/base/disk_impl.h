/* What the parts of disk share: the fault hook. Only for disk*.c. */
#ifndef PARLEY_DISK_IMPL_H
#define PARLEY_DISK_IMPL_H

#include "base/disk.h"

/* What the hook wants of this step. */
enum disk_fault disk_ask (enum disk_step step, const char *path) MUST_CHECK;
/* The same for a descriptor: the kernel knows its name. */
enum disk_fault disk_ask_fd (enum disk_step step, int fd) MUST_CHECK;
/* What the hook wants to be seen as failed fails as a broken disk does: -1 and
 * errno. */
int disk_result (enum disk_fault fault, int result) MUST_CHECK;

#endif
