# SPDX-License-Identifier: MIT
# The handouts and the instructor's booklet, opened as PDF and in a browser. No list of labs.
# Beside others: it prints.

bats_require_minimum_version 1.5.0
load asserts
bats_load_library bats-file

setup_file() {
    export TOP OUT=.output/handouts
    TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    cd "$TOP"
    .ci/as-owner make -j"$(nproc)" printed 3>&-
}

setup() {
    cd "$TOP" || exit
}

labs() {
    printf '%s\n' labs/[0-9][0-9]-*/
}

title() { # LAB
    sed -n '1s/^# //p' "$1/README.md"
}

# What the booklet is made of; a lab's handout is not in it.
booklet_sources() {
    ls labs/print/booklet.md labs/[0-9]*/teach.md labs/[0-9]*/predict.md "$@"
}

paper() { # SIZE FILE.pdf TITLE SOURCE...
    tests/handouts/paper.py "$@"
}

every_paper() { # SIZE FOLDER
    local lab bad=0
    for lab in $(labs); do
        lab=${lab%/}
        paper "$1" "$2/${lab#labs/}.pdf" "$(title "$lab")" "$lab/README.md" || bad=1
    done
    # shellcheck disable=SC2046 # one word a file
    paper "$1" "$2/booklet.pdf" "" $(booklet_sources labs/[0-9]*/solution/*.c) || bad=1
    return $bad
}

@test "A4: every heading, every line of code, whole, inside the margins, no blank page" {
    every_paper A4 "$OUT/a4"
}

@test "Letter: every heading, every line of code, whole, inside the margins, no blank page" {
    every_paper Letter "$OUT/letter"
}

@test "in a browser, as wide as a phone: every heading, nothing loaded, no dead link" {
    local lab args=()
    for lab in $(labs); do
        lab=${lab%/}
        args+=("$OUT/html/${lab#labs/}.html" "$lab/README.md" --)
    done
    # shellcheck disable=SC2046 # one word a file
    tests/handouts/browser.py "${args[@]}" "$OUT/html/booklet.html" $(booklet_sources)
}

# Without blanks, in which the two differ.
squeezed() { # FILE
    case $1 in
    *.pdf) pdftotext "$1" - | sed 's/\f//' ;;
    *) pandoc --to plain --wrap none "$1" ;;
    esac | tr -d '[:space:]`'
}

# The sentences of a lab's key.
key() { # LAB
    sed -n '/^## Key/,$p' "$1/teach.md" | sed 1d | pandoc --from gfm --to plain --wrap none |
        sed 's/\. /.\n/g' | tr -d ' \t`' | grep .
}

@test "the booklet holds each lab's key, no handout does" {
    local lab sentence booklet handout pdf
    booklet=$(squeezed $OUT/html/booklet.html)
    for lab in $(labs); do
        lab=${lab%/}
        handout=$(squeezed "$OUT/html/${lab#labs/}.html")
        pdf=$(squeezed "$OUT/a4/${lab#labs/}.pdf")
        [ "$(key "$lab" | wc -l)" -ge 2 ] || fail "$lab has no key"
        while read -r sentence; do
            [[ $booklet == *"$sentence"* ]] || fail "the booklet lacks of $lab: $sentence"
            [[ $handout$pdf != *"$sentence"* ]] || fail "the handout of $lab tells: $sentence"
        done < <(key "$lab")
    done
}

@test "the contents of the booklet name the page on which each lab begins" {
    local lab page text
    for lab in $(labs); do
        text=$(title "${lab%/}")
        page=$(pdftotext -layout $OUT/a4/booklet.pdf - | grep -F -m1 "$text" | grep -o '[0-9]*$')
        run pdftotext -layout -f "$page" -l "$page" $OUT/a4/booklet.pdf -
        assert_line "$text"
    done
}

@test "only what has changed is printed again" {
    run make -n printed
    assert_success
    refute_output --partial labs/print
    run make -n -W labs/09-eof/README.md printed
    assert_success
    assert_output --partial "a4 $OUT/html/09-eof.html"
    assert_output --partial "letter $OUT/html/booklet.html"
    refute_output --partial "$OUT/html/10-reset.html"
}

# As wide as code may be, a title with quotes, lines with and without a word in front, links.
@test "a new lab is printed like those that are there" {
    local lab=$BATS_TEST_TMPDIR/77-new out=$BATS_TEST_TMPDIR/77-new
    mkdir "$lab"
    {
        printf '# 77-new: say "no" & 2 < 3\n\n'
        printf 'See [all labs](../README.md), [the end](#recap), [TCP](https://www.rfc-editor.org/rfc/rfc9293).\n\n'
        printf '    client  ____\n\n    ____\n\n| sentence | line |\n| --- | --- |\n| "No." | |\n\n## Recap\n\n'
        printf '    $ echo %s\n    one\n' "$(printf '%097d' 0)"
    } >"$lab/README.md"
    labs/print/html "$lab" >"$out.html"
    run tests/handouts/browser.py "$out.html" "$lab/README.md"
    assert_success
    run grep -o 'href="[^"]*"' "$out.html"
    assert_output $'href="#recap"\nhref="https://www.rfc-editor.org/rfc/rfc9293"'
    labs/print/pdf a4 "$out.html" "$out.pdf"
    run paper A4 "$out.pdf" "$(title "$lab")" "$lab/README.md"
    assert_success
}

# --- the tests above must be able to fail ---

# A copy of a handout, changed, on paper.
printed() { # SED-EXPRESSION
    sed "$1" $OUT/html/09-eof.html >"$BATS_TEST_TMPDIR/09-eof.html"
    labs/print/pdf a4 "$BATS_TEST_TMPDIR/09-eof.html" "$BATS_TEST_TMPDIR/09-eof.pdf"
    run paper A4 "$BATS_TEST_TMPDIR/09-eof.pdf" "$(title labs/09-eof)" labs/09-eof/README.md
}

@test "a blank page is found" {
    printed 's|<h2 id="recap">|<p style="break-before: page; break-after: page">\&nbsp;</p>&|'
    assert_failure
    assert_output "09-eof.pdf (A4): page 3 is blank"
}

@test "a missing heading, and one at the end of a page, are found" {
    printed 's|<h2 id="recap">.*||; s|<h2 id="common-mistakes">|<h2 style="break-after: page">|'
    assert_failure
    assert_line "09-eof.pdf (A4): lacks the heading 'Recap'"
    assert_line "09-eof.pdf (A4): page 2 ends with the heading 'Common mistakes'"
}

@test "code that is cut, text in the margin, and colours are found" {
    printed 's|^pre { |&width: 60mm; |; s|color: #000; background|color: #006; background|
        s|<h2 id="recap">|<h2 id="recap" style="margin-left: -2mm">|'
    assert_failure
    assert_line --partial "09-eof.pdf (A4): lacks or cuts the line '"
    assert_line --regexp "page [0-9] 'Recap' stands in the margin"
    assert_line "09-eof.pdf (A4): page 1 has a colour"
}

@test "a page that Chromium has made smaller, because of code that is too wide, is found" {
    printed 's|white-space: pre-wrap; overflow-wrap: anywhere|white-space: pre|
        s|<h2 id="recap">|<pre>'"$(printf '%0160d' 0)"'</pre>&|'
    assert_failure
    assert_line "09-eof.pdf (A4): page 1 is set too small: 'Name'"
}

@test "another paper size is found" {
    run paper Letter $OUT/a4/09-eof.pdf "$(title labs/09-eof)" labs/09-eof/README.md
    assert_failure
    assert_line --partial "(Letter): page 1 measures 59"
}

@test "in a browser: a missing heading, a resource, a dead link, a page too wide are found" {
    local page=$BATS_TEST_TMPDIR/09-eof.html
    sed 's|<h2 id="recap">.*|<img src="http://127.0.0.1:9/x.png"><a href="../x.md">x</a>|
        s|overflow-x: auto|overflow-x: visible|' $OUT/html/09-eof.html >"$page"
    run tests/handouts/browser.py "$page" labs/09-eof/README.md
    assert_failure
    assert_line "09-eof.html: lacks the heading 'Recap'"
    assert_line --partial '09-eof.html: loads <img src="http'
    assert_line "09-eof.html: has a link that leads nowhere: ../x.md"
    assert_line --regexp "09-eof.html: is [0-9]+ pixels wide on a phone of 360"
}

# --- what can go wrong ---

# A PATH with the named programs only.
path_of() { # PROGRAM...
    local program
    mkdir -p "$BATS_TEST_TMPDIR/bin"
    for program; do
        ln -s "$(command -v "$program")" "$BATS_TEST_TMPDIR/bin/"
    done
    echo "$BATS_TEST_TMPDIR/bin"
}

@test "without pandoc or Chromium one sentence says what to install" {
    local path
    path=$(path_of env bash dirname realpath sed mktemp rm pdfinfo)
    run env PATH="$path" labs/print/html labs/09-eof
    assert_failure
    assert_output "Missing to print the handouts: pandoc. Install it with: sudo .ci/install handouts"
    run env PATH="$path" labs/print/pdf a4 $OUT/html/09-eof.html "$BATS_TEST_TMPDIR/x.pdf"
    assert_failure
    assert_output "Missing to print the handouts: chromium. Install it with: sudo .ci/install handouts"
}

@test "a Chromium that fails, hangs or prints nothing is told of in one sentence, and leaves no file" {
    local bin=$BATS_TEST_TMPDIR/bin body
    mkdir "$bin" "$BATS_TEST_TMPDIR/tmp"
    while IFS='|' read -r body said; do
        printf '#!/bin/sh\n%s\n' "$body" >"$bin/chromium"
        chmod +x "$bin/chromium"
        run env PATH="$bin:$PATH" TMPDIR="$BATS_TEST_TMPDIR/tmp" BROWSER_SECONDS=1 \
            labs/print/pdf a4 $OUT/html/09-eof.html "$BATS_TEST_TMPDIR/x.pdf"
        assert_failure
        assert_output "labs/print/$said"
        assert_not_exists "$BATS_TEST_TMPDIR/x.pdf"
        [ -z "$(ls "$BATS_TEST_TMPDIR/tmp")" ]
    done <<'EOF'
echo no display >&2; exit 3|browser: 09-eof.html: Chromium ended with status 3: no display
echo "x: No usable sandbox! Long." >&2; kill $$|browser: 09-eof.html: Chromium has no sandbox: install chromium-sandbox, or allow user namespaces
exec sleep 60|browser: 09-eof.html: Chromium did not end within 1 s
exit 0|pdf: 09-eof.html: Chromium printed nothing
EOF
}

@test "printing opens no connection" {
    local page=$BATS_TEST_TMPDIR/page.html
    echo '<title>x</title><img src="http://127.0.0.1:8/x.png">' >"$page"
    run -0 --separate-stderr strace -f -qq -e trace=connect -o "$BATS_TEST_TMPDIR/calls" \
        labs/print/browser --dump-dom "$page"
    assert_output --partial x.png
    run grep -E 'AF_INET6?.* = (0|-1 EINPROGRESS)' "$BATS_TEST_TMPDIR/calls"
    assert_failure 1
}
