/* turn - the writers of one file in this process, one after the other, in the
 * order in which they came. SQLite alone has them sleep and try again, up to a
 * tenth of a second each time, and lets whoever wakes up first go first.
 * Thread-safe. */
#ifndef PARLEY_STORE_TURN_H
#define PARLEY_STORE_TURN_H

#include <stdbool.h>
#include <sys/types.h>

struct turn;

/* The one of that file, shared; close gives back and nulls. */
struct turn *turn_open (dev_t device, ino_t file);
void turn_close (struct turn **self_p);

/* Wait until it is the caller's; false: not within `ms`. */
bool turn_take (struct turn *self, int ms);
void turn_give (struct turn *self); /* by whom it was taken */

#endif
