#!/bin/sh
# Lays out Traefik's sources for a build in /tmp/traefik: those of its module, with what the module's archive leaves out
# (the dashboard's pages, the folder `dynamic/ext`), without lego's DNS providers, and with go-http-auth as published
# instead of Traefik's fork of it, which the module proxy does not have everywhere. Only middlewares that the lab does not use need either.
# The Gateway API's definitions go beside the program.
set -eu
place() { go list -m -f '{{.Dir}}' "$1"; }
cp -r "$(place github.com/traefik/traefik/v3)" /tmp/traefik
chmod -R u+w /tmp/traefik
mkdir -p /tmp/traefik/webui/static /tmp/traefik/pkg/config/dynamic/ext /tmp/traefik/pkg/nodns
echo '<!doctype html><title>no dashboard</title>' > /tmp/traefik/webui/static/index.html
cp ext/* /tmp/traefik/pkg/config/dynamic/ext/
cp nodns/* /tmp/traefik/pkg/nodns/
mkdir -p /out/crds
cp "$(place sigs.k8s.io/gateway-api)"/config/crd/standard/*.yaml /out/crds/
cat go.sum >> /tmp/traefik/go.sum
version=$(go list -m -f '{{.Version}}' github.com/abbot/go-http-auth)
cd /tmp/traefik
sed -i 's#"github.com/go-acme/lego/v5/providers/dns"#dns "github.com/traefik/traefik/v3/pkg/nodns"#' pkg/provider/acme/provider.go
# What the fork adds: saying of a digest that it is stale.
sed -i 's/RequireAuthStale/RequireAuth/' pkg/middlewares/auth/digest_auth.go
go mod edit -dropreplace=github.com/abbot/go-http-auth "-require=github.com/abbot/go-http-auth@$version"
