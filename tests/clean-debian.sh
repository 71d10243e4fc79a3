#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the commands of README.md as a newcomer would, in a minimal Debian 12 where nothing but the
# base system is installed, and reports how each ended. Needs root, debootstrap and a mirror.
#
# usage: tests/clean-debian.sh [COMMAND...]
#   COMMAND   shell commands to run instead of the README's
#   DIRTY=1   copy the working tree with its uncommitted changes, instead of cloning it
#   AS=root   run as root in what debootstrap leaves, with /proc and /sys alone: no sudo, no
#             /etc/hosts; instead of as a user who has sudo in what the installer leaves
#   KEEP=1    leave the system behind and say where
#   MIRROR=   Debian mirror, instead of the one this machine's apt uses
set -eu
suite=bookworm
top=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-/var/cache}/socklens
as=${AS:-learner}

# The mounts belong to a mount namespace of our own: however we end, the kernel removes them, and
# nothing outside it ever sees them. The outer half deletes the files, where no mount is left.
if [ "${CLEAN_DEBIAN_ROOT-}" = "" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "A second Debian is set up by root only: sudo tests/clean-debian.sh" >&2
		exit 1
	fi
	if ! command -v debootstrap >/dev/null; then
		echo "debootstrap is missing. Install it with: sudo apt-get install debootstrap" >&2
		exit 1
	fi
	CLEAN_DEBIAN_ROOT=$(mktemp -d "${TMPDIR:-/var/tmp}/socklens-debian.XXXXXX")
	export CLEAN_DEBIAN_ROOT
	# shellcheck disable=SC2317 # called by the trap
	clean_up() {
		if [ "${KEEP-}" = 1 ]; then
			echo "kept: $CLEAN_DEBIAN_ROOT"
		else
			rm -rf --one-file-system "$CLEAN_DEBIAN_ROOT"
		fi
	}
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	unshare --mount --propagation private -- "$0" "$@"
	exit
fi
root=$CLEAN_DEBIAN_ROOT

mirror() {
	local found
	# shellcheck disable=SC2016 # for apt to expand
	found=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' \
		"Created-By: Packages" 2>/dev/null |
		awk -v suite="$suite" '$2 == suite && $3 == "main" { print $1; exit }')
	echo "${MIRROR:-${found:-http://deb.debian.org/debian}}"
}

# The base system is made once; later runs unpack it.
unpack_base() {
	local base
	base=$cache/$suite-$(dpkg --print-architecture).tar.gz
	if [ ! -f "$base" ]; then
		echo "Making a minimal Debian ($suite) from $(mirror) ..."
		debootstrap --variant=minbase "$suite" "$root" "$(mirror)" >"$root.log" 2>&1 || {
			tail -n 20 "$root.log" >&2
			rm -f "$root.log"
			exit 1
		}
		rm -f "$root.log"
		chroot "$root" apt-get clean
		mkdir -p "$cache"
		tar -C "$root" --one-file-system -czf "$base.$$" .
		mv "$base.$$" "$base"
	else
		tar -C "$root" -xzf "$base"
	fi
	chmod 755 "$root" # mktemp made it for root alone
}

prepare() {
	mount -t proc proc "$root/proc"
	mount -t sysfs sysfs "$root/sys"
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	apt-config dump | grep -E '^Acquire::(https?::|Check|Retries)' \
		>"$root/etc/apt/apt.conf.d/90host" || true
	inside root "apt-get -qq update"
}

# What the installer of Debian adds to that.
finish_install() {
	mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
	mount -t tmpfs tmpfs "$root/dev/shm"
	mount -t tmpfs tmpfs "$root/run"
	printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n::1\tlocalhost ip6-localhost ip6-loopback\n' \
		"$(hostname)" >"$root/etc/hosts"
	inside root "DEBIAN_FRONTEND=noninteractive apt-get -qq install -y sudo >/dev/null 2>&1"
	inside root "useradd -m -s /bin/bash $as"
	echo "$as ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/$as"
}

copy_tree() { # DESTINATION
	if [ "${DIRTY-}" = 1 ]; then
		mkdir -p "$1"
		git -C "$top" ls-files -co --exclude-standard -z |
			tar -C "$top" --null -T - -c | tar -C "$1" -x
	else
		git clone -q --no-hardlinks "$top" "$1"
	fi
}

inside() { # USER COMMAND: in the tree, with a plain environment and no terminal to ask on
	local home=/root
	[ "$1" = root ] || home=/home/$1
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" \
		LANG=C.UTF-8 TERM=dumb chroot "$root" setsid -w \
		setpriv --reuid="$1" --regid="$1" --init-groups \
		bash -c "cd '$home/socklens' 2>/dev/null || cd; $2" </dev/null
}

# The lines of README.md a newcomer types: its code lines that start with sudo and run make.
readme_commands() {
	sed -n 's/^ *\(sudo [^#]*make [^#]*[^# ]\) *\(#.*\)\{0,1\}$/\1/p' "$top/README.md" |
		grep -E 'make (demo|test)$'
}

if [ $# -gt 0 ]; then
	commands=("$@")
else
	mapfile -t commands < <(readme_commands)
	if [ ${#commands[@]} != 2 ]; then
		echo "README.md should name two commands, with make demo and make test; it names ${#commands[@]}" >&2
		exit 1
	fi
fi

unpack_base
prepare
home=$root/root
if [ "$as" != root ]; then
	finish_install
	home=$root/home/$as
fi
copy_tree "$home/socklens"
[ "$as" = root ] || inside root "chown -R $as:$as /home/$as/socklens"

failed=0
for command in "${commands[@]}"; do
	[ "$as" != root ] || command=${command//sudo /}
	echo "=== \$ $command"
	status=0
	start=$SECONDS
	inside "$as" "$command" || status=$?
	echo "=== status $status after $((SECONDS - start)) s: $command"
	[ "$status" = 0 ] || failed=1
done

# A build under sudo must leave nothing that its user cannot remove.
foreign=$(find "$home/socklens" ! -user "$(stat -c %u "$home/socklens")" | head -n 5)
if [ -n "$foreign" ]; then
	printf '=== not owned by %s:\n%s\n' "$as" "${foreign//$root/}"
	failed=1
fi
exit "$failed"
