/* SPDX-License-Identifier: MIT
 * ipc/router_mailbox.c: the answers of posted requests. CPUs push messages on the list of the sender's CPU, which takes
 * the whole list, turns it round and tells each; who has been told may post its message again, so that it comes back to
 * the list while others are at it. Checked in every interleaving: each push is told once, in the order of pushes of a CPU,
 * and none stays when all CPUs rest. The wake is taken as given (wake.pml).
 * CONFIG: -DMESSAGES=3
 * CONFIG: -DMESSAGES=4
 * MUTANTS: PUSHED_BLINDLY TAKEN_ONE_BY_ONE TOLD_BEFORE_NEXT RUNG_BEFORE_PUSHED NOT_TURNED */
#define NONE 0

byte next[MESSAGES + 1], head;
bool rung;
/* Not in the kernel: what the properties speak of. */
byte pushed[MESSAGES + 1], told[MESSAGES + 1], last_of_first;

inline push(m)
{
#ifdef RUNG_BEFORE_PUSHED
    rung = true;
#endif
    newest = head;
    do
    :: next[m] = newest;
#ifdef PUSHED_BLINDLY
       atomic { head = m; pushed[m]++ };
       break
#else
       atomic {
           if
           :: head == newest -> head = m; pushed[m]++; break
           :: else -> newest = head
           fi
       }
#endif
    od;
#ifndef RUNG_BEFORE_PUSHED
    rung = true
#endif
}

/* Has messages 1 and 2, whose order is looked at. */
proctype first_cpu()
{
    byte newest;
    push(1);
    push(2)
}

/* Has the others; and the first of them once more, when it has been told. */
proctype second_cpu()
{
    byte newest, m = 3;
    do
    :: m <= MESSAGES -> push(m); m++
    :: else -> break
    od;
    told[3] == 1;
    push(3)
}

inline tell(m)
{
    told[m]++;
    assert(told[m] <= pushed[m]);
    if
    :: m == 1 -> assert(last_of_first == 0); last_of_first = 1
    :: m == 2 -> assert(last_of_first == 1); last_of_first = 2
    :: else
    fi
}

proctype sender()
{
    byte m, older, oldest;
end:
    do
    :: atomic { rung -> rung = false };
#ifdef TAKEN_ONE_BY_ONE
       do
       :: m = head;
          if
          :: m == NONE -> break
          :: else
          fi;
          older = next[m];
          atomic {
              if
              :: head == m -> head = older; tell(m)
              :: else
              fi
          }
       od
#else
       atomic { m = head; head = NONE };
       oldest = NONE;
#ifdef NOT_TURNED
       oldest = m;
#else
       do
       :: m != NONE -> older = next[m]; next[m] = oldest; oldest = m; m = older
       :: else -> break
       od;
#endif
       do
       :: oldest != NONE ->
          m = oldest;
#ifdef TOLD_BEFORE_NEXT
          tell(m);
          oldest = next[m]
#else
          oldest = next[m];
          tell(m)
#endif
       :: else -> break
       od
#endif
    od
}

init
{
    byte m;
    atomic { run first_cpu(); run second_cpu(); run sender() };
    timeout; /* nobody can go on */
    assert(head == NONE && told[3] == 2 && pushed[3] == 2);
    for (m : 1 .. MESSAGES) {
        assert(told[m] == pushed[m])
    }
}
