#!/bin/sh
# Runs within the image, after packages and files are in place.
set -eu

# Answers and error pages do not tell the version of nginx, whatever the package's default is.
sed -i 's/^\([[:space:]]*\)#\{0,1\}[[:space:]]*server_tokens[[:space:]].*/\1server_tokens off;/' /etc/nginx/nginx.conf
grep -q '^[[:space:]]*server_tokens off;' /etc/nginx/nginx.conf

cat > /etc/nginx/conf.d/headers.conf <<'CONF'
add_header X-Content-Type-Options nosniff always;
add_header X-Frame-Options DENY always;
CONF

# The page that the package brings would be served beside ours.
rm -f /var/www/html/index.nginx-debian.html

nginx -t
