#!/bin/bash
# SPDX-License-Identifier: MIT
# Checks every model here with SPIN, in every CONFIG of its head comment, and that each of its MUTANTS (a planted
# bug) is found in at least one of them; those of a line with a flag, in one with this flag. Exit status 0 only if all
# models pass and all mutants fail. The rest of what is made goes to build/model/.
# Usage: tests/model/run.sh [MODEL...]
set -eu -o pipefail
cd "$(dirname "$0")/../.."

# verify MODEL DIR FLAGS...: 0 = no error in the whole state space, 1 = an error; ends the script if it is neither.
verify() {
    local model=$PWD/tests/model/$1.pml dir=build/model/$2
    shift 2
    rm -rf "$dir"
    mkdir -p "$dir"
    (cd "$dir" && spin "$@" -a "$model" >spin.out 2>&1 && gcc -O0 -w -DSAFETY -o pan pan.c >gcc.out 2>&1 &&
        timeout 120 ./pan -m300000 -w22 >pan.out 2>&1) || { echo "cannot run: see $dir" && exit 2; }
    if grep -qE 'too small|out of memory|aborted|truncated' "$dir/pan.out" || ! grep -q 'errors: ' "$dir/pan.out"; then
        echo "the search was not complete: see $dir/pan.out"
        exit 2
    fi
    grep -q 'errors: 0$' "$dir/pan.out"
}

check_model() {
    local name=$1 mutant found states i flags configs bad=0
    mapfile -t configs < <(sed -n 's/^ \* CONFIG: *//p' "tests/model/$name.pml")
    for i in "${!configs[@]}"; do
        read -ra flags <<<"${configs[$i]}"
        if verify "$name" "$name/$i" "${flags[@]}"; then
            states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "build/model/$name/$i/pan.out")
            echo "$name ${configs[$i]}: ok, $states states"
        else
            echo "$name ${configs[$i]}: FAILED, trail in build/model/$name/$i"
            bad=1
        fi
    done
    # Lines of a mutant, and the flag that it needs or nothing.
    while read -r mutant need; do
        found=
        for i in "${!configs[@]}"; do
            read -ra flags <<<"${configs[$i]}"
            [[ " ${flags[*]} " == *" ${need:-${flags[0]}} "* ]] || continue
            verify "$name" "$name/$mutant.$i" "-D$mutant" "${flags[@]}" || { found=${configs[$i]} && break; }
        done
        [[ $found ]] && echo "$name $mutant: found with $found" || { echo "$name $mutant: NOT FOUND" && bad=1; }
    done < <(sed -n 's/^ \* MUTANTS\( -D[A-Z_]*\)\{0,1\}: *\([A-Z_ ]*\).*/\1:\2/p' "tests/model/$name.pml" |
        while IFS=: read -r need mutants; do for mutant in $mutants; do echo "$mutant $need"; done; done)
    [[ ${#configs[@]} -gt 0 ]] || { echo "$name: no CONFIG line" && bad=1; }
    return $bad
}

status=0
[[ $# -gt 0 ]] || set -- tests/model/*.pml
for model; do
    check_model "$(basename "$model" .pml)" || status=1
done
exit $status
