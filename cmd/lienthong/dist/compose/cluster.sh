#!/bin/sh
#
# Starts the profile "cluster" of compose.yaml: PostgreSQL, two hubs behind a load
# balancer, four leaves. The first time it makes the secrets, in cluster/secrets,
# and enters the four agencies; run again, it goes on where it was.
set -eu

cd "$(dirname "$0")"
secrets=cluster/secrets
compose() { docker compose -f ../compose.yaml --profile cluster "$@"; }
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# Nobody else gets into the folder. The files in it are read inside of the
# containers by other users than here.
[ -d $secrets ] || mkdir -m 700 $secrets
[ -s $secrets/db.password ] || random >$secrets/db.password
[ -s $secrets/hub.key ] || random >$secrets/hub.key
printf '*:*:*:lienthong:%s\n' "$(cat $secrets/db.password)" >$secrets/pgpass

compose up -d --build --wait hub-1 hub-2 balancer

hub="compose exec -T hub-1 /usr/bin/lienthong agency"
$hub import --config /etc/lienthong/hub.toml /etc/lienthong/agencies.csv
for id in H41.1 H41.2 H41.3 H41.4; do
	[ -s $secrets/$id.token ] || $hub token --config /etc/lienthong/hub.toml --note compose $id >$secrets/$id.token
done

compose up -d --wait leaf-1 leaf-2 leaf-3 leaf-4

echo "a document of H41.1 to the others:"
echo "  docker compose -f $(pwd)/../compose.yaml exec -T leaf-1 /usr/bin/lienthong submit --config /etc/lienthong/leaf.toml - <PACKET"
