# Sourced by bash scripts: Debian packages by the sections of deploy/packages.
# shellcheck shell=bash

packages_file=${BASH_SOURCE[0]%/*}/packages

# packages_list SECTION...: their names, one a line.
packages_list() {
    local section
    for section in "$@"; do
        awk -v want="[$section]" '
            /^\[/ { inside = $0 == want; found = found || inside; next }
            inside && NF && !/^#/
            END { exit !found }' "$packages_file" || {
            echo "$packages_file has no section [$section]" >&2
            return 1
        }
    done
}

# packages_missing SECTION...: those that are not installed.
packages_missing() {
    local all
    all=$(packages_list "$@") || return
    # shellcheck disable=SC2086 # one word a package
    comm -23 <(sort -u <<<"$all") \
        <(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' $all \
            2>/dev/null | sed -n 's/\(:[a-z0-9]*\)\{0,1\} installed$//p' |
            sort -u)
}

# packages_install SECTION...: say what is missing, then install it. Asks the
# network for nothing where nothing is missing.
packages_install() {
    local missing root=()
    if ! command -v apt-get >/dev/null; then
        echo "no Debian: install what these packages hold yourself, and use" \
            "--no-install:" >&2
        packages_list "$@" >&2
        return 1
    fi
    missing=$(packages_missing "$@") || return
    [ -n "$missing" ] || return 0
    echo "installing with apt: ${missing//$'\n'/ }"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            echo "that needs root, or sudo" >&2
            return 1
        }
        root=(sudo)
    fi
    "${root[@]}" apt-get -qq update </dev/null || return
    # shellcheck disable=SC2086
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
        --no-install-recommends -o Dpkg::Use-Pty=0 install $missing \
        </dev/null >/dev/null
}
