//! Sets of packages, one on each line.
//!
//! A line holds package names as `apt-get install` takes them; `=oldest` and `=newest` stand for versions out of the
//! index (without backports). `+recommends` and `+essential` turn these on; `pin:PACKAGE@SUITE@PRIORITY`,
//! `pin:PACKAGE@=VERSION@PRIORITY` and `hold:PACKAGE=oldest` are pins and holds.

/// Sets for every release.
pub(crate) const COMMON: &str = "
# Servers.
nginx
+recommends nginx
+essential nginx-light
nginx-extras
apache2
+recommends apache2 libapache2-mod-php
lighttpd
haproxy keepalived
varnish
squid
postgresql
+recommends postgresql
+essential +recommends postgresql nginx
mariadb-server
+essential +recommends mariadb-server
default-mysql-server
redis-server
memcached
rabbitmq-server
mosquitto
bind9
unbound
dnsmasq
samba
+recommends samba
nfs-kernel-server
vsftpd
openssh-server
+essential +recommends openssh-server
docker.io
+recommends docker.io
podman
+recommends podman
containerd
prometheus
+recommends zabbix-agent
tomcat10
+recommends tomcat10
wordpress
+recommends wordpress
bacula-server
+recommends munin
icinga2
slapd
freeradius
krb5-kdc
openvpn
wireguard
strongswan
chrony
ntpsec
fail2ban
+recommends fail2ban
unattended-upgrades
+recommends logwatch
rsyslog
# Mail: virtual packages and alternatives.
default-mta
+recommends default-mta
mail-transport-agent
+recommends postfix
+recommends exim4
sendmail
postfix dovecot-imapd spamassassin
+recommends dovecot-imapd
mailutils
+recommends bsd-mailx
nullmailer mailutils
fetchmail msmtp-mta
mutt
+recommends mutt
cron
+recommends anacron
at
# Languages.
default-jdk-headless
+recommends default-jre
maven
php
+recommends php
php-fpm nginx mariadb-server
php-cli php-mysql php-xml
libapache2-mod-php apache2
python3
python3-venv python3-pip
+recommends python3-django
python3-numpy python3-scipy
+recommends ipython3
ruby
ruby-full
+recommends rails
golang
rustc cargo
nodejs npm
perl
+recommends libdbd-mysql-perl
r-base
+recommends octave
build-essential
+recommends build-essential
gcc g++ clang
cmake ninja-build
gawk mawk
ghc
# Tools and desktops.
vim
+recommends vim-gtk3
emacs-nox
+recommends emacs
git
+recommends git
awscli
ansible
+recommends cloud-init
+essential linux-image-amd64 grub-efi-amd64 cloud-init openssh-server
+essential +recommends linux-image-amd64 systemd-sysv dbus
+essential apt init
+essential +recommends network-manager
ifupdown
systemd-sysv
sysvinit-core
+recommends xfce4
xfce4
gnome-core
+recommends kde-plasma-desktop
libreoffice-writer
+recommends texlive-latex-base
firefox-esr
+recommends cups
www-browser
x-terminal-emulator
httpd
awk
lynx
debhelper devscripts
# Versions, pins and holds.
openssl=oldest
openssl=newest libssl-dev
libssl-dev=oldest
nginx=oldest
python3=newest
nginx=9.9.9
perl=oldest perl-base=oldest
hold:openssl=oldest openssl
hold:libc6=newest build-essential
pin:*@=9.9.9@900 nginx
pin:nginx*@=0*@900 nginx
pin:nginx@=*@-1 nginx
pin:libc6@=*@-1 nginx
# What cannot be: both must refuse.
exim4 postfix
exim4-daemon-light exim4-daemon-heavy
no-such-package-at-all
nginx no-such-package-at-all
sysvinit-core systemd-sysv
chrony systemd-timesyncd
nullmailer postfix
";

const BOOKWORM: &str = "
openjdk-17-jdk
linux-image-cloud-amd64
pin:*@bookworm-backports@500 git
pin:*@bookworm-backports@990 +recommends cloud-init systemd
pin:*@bookworm-security@990 +recommends nginx openssl
pin:linux-image-*@bookworm-backports@600 linux-image-amd64
systemd/bookworm-backports
pin:openssl@bookworm@600 openssl
";

const TRIXIE: &str = "
openjdk-21-jdk
linux-image-cloud-amd64
pin:*@trixie-backports@500 git
pin:*@trixie-backports@990 +recommends cloud-init systemd
pin:*@trixie-security@990 +recommends nginx openssl
pin:linux-image-*@trixie-backports@600 linux-image-amd64
linux-image-amd64/trixie-backports
pin:openssl@trixie@600 openssl
";

/// Returns the sets for one release.
pub(crate) fn of(codename: &str) -> &'static str {
    match codename {
        "bookworm" => BOOKWORM,
        _ => TRIXIE,
    }
}
