//! Files whose name betrays what they hold.

use crate::make::{Random, fill, kinds_of, scan};

/// `(path, content, kind)`.
const FILES: &[(&str, &str, &str)] = &[
    ("/root/.netrc", "machine x.acme.net\n login joe\n password {p14}\n", "file-netrc"),
    ("/root/.pgpass", "db.acme.net:5432:*:joe:{p14}\n", "file-pgpass"),
    ("/root/.git-credentials", "https://joe:{a30}@git.acme.net\n", "address-password"),
    ("/root/.docker/config.json", r#"{"auths": {"r.acme.net": {"auth": "{a40}"}}}"#, "file-docker-auth"),
    ("/root/.npmrc", "//r.acme.net/:_authToken={a40}\n", "file-npmrc"),
    ("/root/.pypirc", "[pypi]\nusername = joe\npassword = {p14}\n", "file-pypirc"),
    ("/root/.kube/config", "users:\n- name: x\n  user:\n    client-key-data: {a400}\n", "file-kubeconfig"),
    ("/srv/x/terraform.tfstate", r#"{"attributes": {"master_password": "{p14}"}}"#, "file-terraform-state"),
    ("/srv/x/prod.tfvars", "db_admin_password = \"{p14}\"\n", "file-terraform-variables"),
    (
        "/root/.terraform.d/credentials.tfrc.json",
        r#"{"credentials": {"x": {"token": "{a40}"}}}"#,
        "file-terraform-login",
    ),
    ("/root/.aws/credentials", "[default]\naws_session_token = {a200}\n", "file-aws-credentials"),
    ("/root/.aws/sso/cache/0a.json", r#"{"accessToken": "{a200}"}"#, "file-aws-cached-login"),
    ("/root/.s3cfg", "[default]\ngpg_passphrase = {p14}\n", "file-s3cfg"),
    ("/etc/passwd-s3fs", "{320}:{a40}\n", "file-s3fs"),
    ("/root/.config/rclone/rclone.conf", "[x]\ntype = sftp\npass = {a30}\n", "file-rclone"),
    ("/root/.config/gh/hosts.yml", "github.com:\n    oauth_token: {a40}\n", "file-gh-hosts"),
    ("/root/.config/glab-cli/config.yml", "hosts:\n  x:\n    token: {a30}\n", "file-glab"),
    ("/root/.vault-token", "{a95}", "file-vault-token"),
    ("/root/.cargo/credentials.toml", "[registry]\ntoken = \"{a32}\"\n", "file-cargo-token"),
    ("/root/.gem/credentials", ":acme_api_key: {a40}\n", "file-gem-credentials"),
    ("/root/.composer/auth.json", r#"{"github-oauth": {"github.com": "{a40}"}}"#, "file-composer-auth"),
    ("/root/.m2/settings.xml", "<server><password>{a14}</password></server>", "file-maven-settings"),
    ("/root/.gradle/gradle.properties", "ossrhPassword={p14}\n", "file-gradle-properties"),
    (
        "/root/.nuget/NuGet/NuGet.Config",
        r#"<add key="ClearTextPassword" value="{p14}" />"#,
        "file-nuget-config",
    ),
    ("/root/.my.cnf", "[client]\npassword={p14}\n", "file-mysql-client"),
    ("/srv/www/.htpasswd", "joe:{SHA}{a27}=\n", "file-htpasswd"),
    ("/srv/app/.env", "MAIL_PASSWORD={p14}\n", "file-environment"),
    ("/etc/systemd/system/x.service", "[Service]\nEnvironment=APP_SECRET={p14}\n", "file-unit-environment"),
    ("/etc/crontab", "BACKUP_PASSWORD={p14}\n* * * * * root true\n", "file-crontab"),
    (
        "/root/.config/gcloud/application_default_credentials.json",
        r#"{"refresh_token": "{a80}"}"#,
        "file-gcloud",
    ),
    ("/root/.azure/msal_token_cache.json", r#"{"secret": "{a200}"}"#, "file-azure"),
    ("/root/.config/doctl/config.yaml", "access-token: {a64}\n", "file-doctl"),
    ("/root/.config/hcloud/cli.toml", "[[contexts]]\n  token = \"{a50}\"\n", "file-hcloud"),
    ("/root/.oci/config", "[DEFAULT]\npass_phrase={p14}\n", "file-oci"),
    ("/etc/openstack/clouds.yaml", "clouds:\n  x:\n    auth:\n      password: {p14}\n", "file-openstack"),
    (
        "/etc/NetworkManager/system-connections/home.nmconnection",
        "[wifi-security]\npsk={p14}\n",
        "file-network-manager",
    ),
    ("/etc/wpa_supplicant/wpa_supplicant.conf", "network={\n psk=\"{p14}\"\n}\n", "file-wpa-supplicant"),
    ("/etc/ppp/chap-secrets", "joe * {p14} *\n", "file-ppp-secrets"),
    ("/etc/ipsec.secrets", "10.0.0.1 : PSK \"{p14}\"\n", "file-ipsec-secrets"),
    ("/root/.smbcredentials", "username=joe\npassword={p14}\n", "file-samba-credentials"),
    ("/etc/postfix/sasl_passwd", "[mail.acme.net]:587 joe:{p14}\n", "file-postfix-relay"),
    ("/srv/www/wp-config.php", "define( 'AUTH_SALT', '{p30}' );\n", "file-php-application"),
    ("/srv/app/application.properties", "spring.datasource.password={p14}\n", "file-spring-properties"),
    (
        "/etc/tomcat10/tomcat-users.xml",
        r#"<user username="joe" password="{p14}" roles="x"/>"#,
        "file-tomcat-users",
    ),
    ("/root/.vault_pass", "{p20}\n", "file-ansible-vault-password"),
    ("/srv/x.pkrvars.hcl", "ssh_password = \"{p14}\"\n", "file-packer-variables"),
    ("/crypto_keyfile.bin", "{a64}", "file-luks-key"),
    ("/etc/krb5.keytab", "\u{5}\u{2}{a60}", "file-keytab"),
    (
        "/etc/letsencrypt/accounts/x/private_key.json",
        r#"{"n": "x", "d": "{a300}"}"#,
        "file-letsencrypt-account",
    ),
    ("/root/.config/filezilla/sitemanager.xml", r#"<Pass encoding="base64">{a20}</Pass>"#, "file-filezilla"),
    ("/root/.vnc/passwd", "{p8}", "file-vnc-password"),
    ("/var/lib/amazon/ssm/registration", r#"{"PrivateKey":"{a200}"}"#, "file-ssm-registration"),
    ("/root/.jupyter/jupyter_server_config.py", "c.ServerApp.token = '{p20}'\n", "file-jupyter"),
    ("/srv/rke/serviceaccount/token", "{a120}", "file-secret-mounted"),
];

#[test]
fn what_well_known_files_hold_is_found_by_their_name() {
    for (index, (path, form, kind)) in FILES.iter().enumerate() {
        let content = fill(form, &mut Random::new(index as u64 + 100));
        let found = kinds_of(&scan(path, content.as_bytes()).0);
        assert!(found.contains(kind), "{path}: {found:?} in {content}");
    }
}

#[test]
fn the_same_words_elsewhere_are_nothing() {
    let content = fill("machine x\n login joe\n password {p14}\n", &mut Random::new(1));
    assert!(scan("/srv/notes.txt", content.as_bytes()).0.is_empty());
}

#[test]
fn empty_and_placeholder_values_of_such_files_are_nothing() {
    for (path, content) in [
        ("/root/.docker/config.json", r#"{"auths": {"r.acme.net": {}}}"#),
        ("/root/.npmrc", "//r.acme.net/:_authToken=${NPM_TOKEN}\n"),
        ("/srv/app/.env", "DB_PASSWORD=\nAPI_TOKEN=changeme\n# SECRET=none\n"),
        ("/root/.my.cnf", "[client]\nuser=root\n"),
        ("/root/.kube/config", "apiVersion: v1\nclusters: []\n"),
    ] {
        let (found, _) = scan(path, content.as_bytes());
        assert!(found.is_empty(), "{path}: {found:?}");
    }
}
