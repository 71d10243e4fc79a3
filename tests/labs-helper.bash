# SPDX-License-Identifier: MIT
# What must hold of every lab. Each function takes a lab's folder name, prints one line for each
# thing that does not hold, "NN-name: what", and then returns 1. Used by labs.bats and by labs-soak.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The folders, or those that L names. Nothing is registered anywhere.
all_labs() {
    local dir
    for dir in "$TOP"/labs/[0-9][0-9]-*/; do
        dir=$(basename "$dir")
        [ -z "${L-}" ] || [ "$L" = "$dir" ] || continue
        echo "$dir"
    done
}

complain() { # LAB WHAT
    echo "$1: ${*:2}"
    return 1
}

# None of what an exercise consists of is there.
is_tour() { # LAB
    local part
    for part in starter solution wrong check.sql predict.md settle.sql variants grade hint.md tester.c; do
        [ ! -e "$TOP/labs/$1/$part" ] || return 1
    done
}

# Numbers are of no use as names of C files: the first one in the folder, as ./lab takes it.
only_source() { # LAB FOLDER
    local files=("$TOP/labs/$1/$2"/*.c)
    [ ${#files[@]} = 1 ] && [ -e "${files[0]}" ] && echo "${files[0]}"
}

stated_reason() { # FILE
    sed -n '2s|^/\* fails: \(.*\) \*/$|\1|p' "$1"
}

# --- parts ---

# Each of these functions but the first two looks at what is there, and says nothing of what is not.

files_are_there() { # LAB FILE...
    local file bad=0
    for file in "${@:2}"; do
        [ -s "$TOP/labs/$1/$file" ] || complain "$1" "$file is missing or empty" || bad=1
    done
    return $bad
}

# Every program that a script starts as ./NAME is built from NAME.c; "mine" is the learner's.
programs_are_there() { # LAB
    local script name bad=0
    for script in run grade; do
        while read -r name; do
            [ -e "$TOP/labs/$1/$name.c" ] || complain "$1" "$script starts ./$name, and there is no $name.c" || bad=1
        done < <(sed 's/\(^\|[[:space:]]\)#.*//' "$TOP/labs/$1/$script" 2>/dev/null | grep -oP '(\./|\$bin/)\K[a-z_0-9]+' | sort -u | grep -vx mine)
    done
    return $bad
}

exercise_parts() { # LAB
    local dir=$TOP/labs/$1 file bad=0
    files_are_there "$1" predict.md settle.sql check.sql variants grade hint.md tester.c || bad=1
    only_source "$1" starter >/dev/null || complain "$1" "starter/ must hold one .c file" || bad=1
    only_source "$1" solution >/dev/null || complain "$1" "solution/ must hold one .c file" || bad=1
    [ "$(find "$dir/wrong" -name '*.c' 2>/dev/null | wc -l)" -ge 4 ] ||
        complain "$1" "wrong/ must hold four .c files or more" || bad=1
    [ ! -e "$dir/predict.md" ] || [ ! -e "$dir/settle.sql" ] ||
        [ "$(grep -c '^## ' "$dir/predict.md")" = "$(grep -c '^-- check:' "$dir/settle.sql")" ] ||
        complain "$1" "settle.sql must have one check for each question of predict.md" || bad=1
    while read -r _ file _; do
        grep -q "^labs  *$file " "$TOP/.ci/packages" ||
            complain "$1" "needs names the package '$file', which the set 'labs' of .ci/packages lacks" || bad=1
    done < <(grep -sv '^#' "$dir/needs")
    [ ! -e "$dir/hint.md" ] || grep -q '^## ' "$dir/hint.md" || complain "$1" "hint.md has no section that begins with '## '" || bad=1
    for file in "$dir/starter"/*.c "$dir/wrong"/*.c; do
        [ ! -e "$file" ] || [ -n "$(stated_reason "$file")" ] ||
            complain "$1" "${file#"$dir/"} does not state in its second line what it fails" || bad=1
    done
    return $bad
}

# The lines of a section of teach.md.
teach_section() { # LAB HEADING
    awk -v wanted="## $2" '/^## / { inside = $0 == wanted; next } inside' "$TOP/labs/$1/teach.md"
}

# A plan begins at 0, each row where the last one ended, and ends with the time.
plan_adds_up() { # LAB MINUTES
    teach_section "$1" "$2 minutes" | awk -F '[| -]+' -v end="$2" '
        /^\| [0-9]/ { if ($2 != at + 0 || $3 <= $2) exit 1; at = $3 }
        END { exit at != end }'
}

teach_parts() { # LAB
    local heading least pattern bad=0
    [ -e "$TOP/labs/$1/teach.md" ] || return 0
    while IFS='|' read -r heading least pattern; do
        [ "$(teach_section "$1" "$heading" | grep -cE -- "$pattern")" -ge "$least" ] ||
            complain "$1" "teach.md lacks '## $heading', or enough below it" || bad=1
    done <<'EOF'
Ready before the class|2|.
The point|2|.
45 minutes|4|^\| [0-9]+-[0-9]+ \|
90 minutes|4|^\| [0-9]+-[0-9]+ \|
To project|2|^    ./trace
Questions to ask|3|^- .*\?
Common wrong answers, and what each believes|4|^\| .* \| .* \| .* \|$
Key|2|.
EOF
    for heading in 45 90; do
        plan_adds_up "$1" "$heading" || complain "$1" "teach.md: the plan for $heading minutes does not add up" || bad=1
    done
    return $bad
}

# What ./lab shows fits a terminal of 80 columns, a question's title with "1 of 3: " before it; the
# code in what only a teacher reads fits a page. A tour has no questions and no hints.
text_fits() { # LAB
    local file bad=0
    for file in README.md predict.md hint.md; do
        [ ! -e "$TOP/labs/$1/$file" ] ||
            awk 'length > (/^## / ? 75 : 80) { exit 1 }' "$TOP/labs/$1/$file" ||
            complain "$1" "$file has a line that ./lab cannot show in 80 columns" || bad=1
    done
    [ ! -e "$TOP/labs/$1/teach.md" ] ||
        awk '/^    / && length > 4 + 104 { exit 1 }' "$TOP/labs/$1/teach.md" ||
        complain "$1" "teach.md has a line of code that is wider than a page: 104 columns" || bad=1
    return $bad
}

# The handout's minutes are those of its parts, and what the table of labs says.
minutes_add_up() { # LAB
    local text=$TOP/labs/$1/README.md whole bad=0
    [ -e "$text" ] || return 0
    whole=$(sed -n 's/^\([0-9]*\) minutes\. .*/\1/p' "$text")
    [ "$(sed -n 's/^## .*(\([0-9]*\) minutes)$/\1/p' "$text" | awk '{ n += $1 } END { print n }')" = "$whole" ] ||
        complain "$1" "the handout's parts do not add up to its $whole minutes" || bad=1
    grep -qF "| [$1]($1/README.md) | $whole |" "$TOP/labs/README.md" ||
        complain "$1" "labs/README.md lacks it, or says other minutes than $whole" || bad=1
    return $bad
}

handout_parts() { # LAB
    local text=$TOP/labs/$1/README.md what bad=0
    [ -e "$text" ] || return 0
    for what in "^# $1: " '^[0-9]* minutes' '_______' 'Which line settles it?' '^## .*[Ee]xercise' \
        '^## Common mistakes' '^## Recap' '^    \$ ./trace '; do
        grep -q "$what" "$text" || complain "$1" "the handout lacks '$what'" || bad=1
    done
    return $bad
}

c_files() { # LAB
    local file bad=0
    while IFS= read -r file; do
        awk '{ gsub(/\t/, "        ") } length > 80 { exit 1 }' "$file" ||
            complain "$1" "$file has a line of more than 80 columns" || bad=1
        [ "$(wc -l <"$file")" -le 80 ] || complain "$1" "$file has more than 80 lines" || bad=1
        cc -std=gnu11 -O1 -Wall -Wextra -Werror -pthread -c "$file" -o /dev/null ||
            complain "$1" "$file does not compile without a warning" || bad=1
    done < <(find "$TOP/labs/$1" -name '*.c')
    return $bad
}

parts() { # LAB
    local bad=0
    files_are_there "$1" README.md run run.rec teach.md || bad=1
    programs_are_there "$1" || bad=1
    teach_parts "$1" || bad=1
    text_fits "$1" || bad=1
    if ! is_tour "$1"; then
        exercise_parts "$1" || bad=1
        handout_parts "$1" || bad=1
        minutes_add_up "$1" || bad=1
    fi
    c_files "$1" || bad=1
    return $bad
}

# --- runs ---

# Sets $said and $status. A run that lost events decides nothing and is made again, not for ever.
check() { # LAB FILE
    local try
    for try in 1 2 3; do
        status=0
        said=$("$TOP/lab" check "$1" "$2" 2>&1) || status=$?
        [ "$status" = 2 ] || return 0
        echo "# $1: events were lost, try $try" >&2
    done
}

fails_for_its_reason() { # LAB FILE
    local reason
    reason=$(stated_reason "$2")
    check "$1" "$2"
    [ "$status" = 1 ] || complain "$1" "$2 ends the check with $status, not 1:" "$said" || return 1
    grep -qxF "FAIL   $reason" <<<"$said" || complain "$1" "$2 does not fail '$reason':" "$said"
}

starter_fails() { # LAB
    is_tour "$1" || fails_for_its_reason "$1" "$(only_source "$1" starter)"
}

wrong_fail() { # LAB
    local file bad=0
    is_tour "$1" && return
    for file in "$TOP/labs/$1/wrong"/*.c; do
        fails_for_its_reason "$1" "$file" || bad=1
    done
    return $bad
}

# Whoever never connects or listens hears that, and of no byte, end or RST in a connection that was not there;
# whoever crashes hears of the signal, and nothing of the script; each status is told as the program's own.
says_what_was() { # LAB
    local file bad=0
    is_tour "$1" && return
    file=$(mktemp --suffix .c)
    echo 'int main(void) { return 0; }' >"$file"
    check "$1" "$file"
    [ "$status" = 1 ] || complain "$1" "a program that does nothing ends the check with $status, not 1:" "$said" || bad=1
    ! grep -E 'never returned 0|not one in|in order|first SYN|by then is lost' <<<"$said" ||
        complain "$1" "a program that does nothing hears of what was not there:" "$said" || bad=1
    echo 'int main(void) { volatile int *nowhere = 0; return *nowhere; }' >"$file"
    check "$1" "$file"
    grep -qx 'FAIL   it does not crash' <<<"$said" || complain "$1" "a crash is not told:" "$said" || bad=1
    ! grep -q 'grade: line' <<<"$said" || complain "$1" "a crash shows the shell's remark:" "$said" || bad=1
    echo 'int main(void) { return 125; }' >"$file"
    check "$1" "$file"
    [ "$status" = 1 ] && grep -q 'ended with status 125' <<<"$said" ||
        complain "$1" "a program that ends with 125 ends the check with $status, and is not told so:" "$said" || bad=1
    rm "$file"
    return $bad
}

solution_passes() { # LAB
    local i
    is_tour "$1" && return
    for i in 1 2 3; do
        check "$1" "$(only_source "$1" solution)"
        [ "$status" = 0 ] || complain "$1" "the solution, time $i, ends the check with $status:" "$said" || return 1
    done
}

# Makes the experiment, and looks at its questions. As in a check, what lost events is made again.
settle() { # LAB RECORDING
    local try said status
    for try in 1 2 3; do
        said=$("./lab" run "$1" --record "$2" 2>&1) || complain "$1" "the experiment fails:" "$said" || return
        ! is_tour "$1" || return 0
        status=0
        said=$(./trace check "$2" "labs/$1/settle.sql" 2>&1) || status=$?
        [ "$status" = 2 ] || break
        echo "# $1: events were lost in the experiment, try $try" >&2
    done
    [ "$status" = 0 ] || complain "$1" "the experiment does not settle its questions:" "$said"
}

# The experiment, made now, shows what settles the questions and what the handout quotes.
experiment_shows() { # LAB
    local dir=labs/$1 fresh said
    fresh=$(mktemp)
    (
        cd "$TOP" || exit
        settle "$1" "$fresh" || exit
        said=$(tests/handout.py --with "$fresh" "$dir/README.md") ||
            complain "$1" "the experiment shows something else than the handout:" "$said"
    )
    set -- "$?"
    rm -f "$fresh"
    return "$1"
}

handout_is_true() { # LAB
    local said
    said=$(cd "$TOP" && tests/handout.py "labs/$1/README.md") || complain "$1" "the handout is not true:" "$said"
}

# As a user who is nobody, in a copy of the tree that anybody may read.
watch_works() { # LAB
    local tree said bad=0
    tree=$(mktemp -d)
    chmod 755 "$tree"
    mkdir -p "$tree/.output"
    cp -r "$TOP/lab" "$TOP/trace" "$TOP/labs" "$tree"
    cp -r "$TOP/.output/labs" "$tree/.output"
    chmod -R go+rX "$tree"
    said=$(cd "$tree" && setpriv --reuid 65534 --regid 65534 --clear-groups -- \
        env -u SUDO_UID HOME=/nonexistent XDG_STATE_HOME=/nonexistent \
        ./lab watch "$1" --skip-prediction 2>&1) || bad=1
    rm -rf "$tree"
    [ $bad = 0 ] || complain "$1" "watch fails:" "$said" || return 1
    is_tour "$1" || grep -q '^  settled by' <<<"$said" || complain "$1" "watch settles nothing:" "$said"
}
