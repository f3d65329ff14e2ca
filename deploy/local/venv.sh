#!/bin/sh
# The virtual environment VENV, with what LOCK names and nothing newer; quick when nothing has changed.
# usage: deploy/local/venv.sh VENV LOCK        PYTHON names the interpreter to make it with.
set -eu

venv=$1
lock=$2

fail() {
    echo "Ostiary: $*" >&2
    exit 1
}

wanted() {
    { pwd && cat "$lock" pyproject.toml; } | cksum
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

makes_venvs() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

choose_python() {
    without_venv=
    for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14}; do
        is_new_enough "$candidate" || continue
        if makes_venvs "$candidate"; then
            python=$candidate
            return
        fi
        without_venv=$candidate
    done
    another="name another one, as in: make run PYTHON=python3.12"
    if [ -n "$without_venv" ]; then
        fail "$without_venv cannot make virtual environments. Install its venv module" \
            "(on Debian and Ubuntu: apt install python3-venv), or $another"
    fi
    fail "Python 3.11 or newer is needed, and ${PYTHON:-python3} is not that. Install it, or $another"
}

stamp=$venv/$(basename "$lock").installed
if [ "$(cat "$stamp" 2>/dev/null)" = "$(wanted)" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    choose_python
    echo "Creating the virtual environment $venv with $python …"
    "$python" -m venv --clear "$venv" || fail "$python could not make $venv: see above"
fi

pip() {
    "$venv/bin/python" -m pip --quiet --disable-pip-version-check install --no-input --root-user-action=ignore "$@"
}

echo "Installing $(grep -c '==' "$lock") packages from $lock (once; about half a minute) …"
pip --require-hashes --only-binary :all: --requirement "$lock" ||
    fail "the packages of $lock could not be installed: see above"
pip --no-deps --no-build-isolation --editable . || fail "the project could not be installed: see above"
wanted >"$stamp"
