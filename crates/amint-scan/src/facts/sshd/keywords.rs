//! What sshd knows: keywords, other names for them, and compiled defaults.
//!
//! Taken from `sshd_config(5)` of OpenSSH 9.2 and 10.0, whose defaults agree, and from asking `sshd -T` of both
//! about every keyword. Debian's additions are among them.

/// A version of OpenSSH.
pub(super) type Version = (u32, u32);

/// Keywords that a `Match` block must not hold: sshd refuses to start.
const GLOBAL: &str = "addressfamily ciphers compression debianbanner fingerprinthash gssapicleanupcredentials \
    gssapikexalgorithms gssapikeyexchange gssapistorecredentialsonrekey gssapistrictacceptorcheck \
    hostcertificate hostkey hostkeyagent hostkeyalgorithms ignoreuserknownhosts kerberosgetafstoken \
    kerberosorlocalpasswd kerberosticketcleanup kexalgorithms listenaddress logingracetime macs maxstartups \
    modulifile permituserenvironment persourcemaxstartups persourcenetblocksize persourcepenalties \
    persourcepenaltyexemptlist pidfile port printlastlog printmotd securitykeyprovider sshdauthpath \
    sshdsessionpath strictmodes syslogfacility tcpkeepalive usedns usepam versionaddendum xauthlocation";

/// Keywords that may stand anywhere.
const ANYWHERE: &str = "acceptenv allowagentforwarding allowgroups allowstreamlocalforwarding \
    allowtcpforwarding allowusers authenticationmethods authorizedkeyscommand authorizedkeyscommanduser \
    authorizedkeysfile authorizedprincipalscommand authorizedprincipalscommanduser authorizedprincipalsfile \
    banner casignaturealgorithms channeltimeout chrootdirectory clientalivecountmax clientaliveinterval \
    denygroups denyusers disableforwarding exposeauthinfo forcecommand gatewayports gssapiauthentication \
    hostbasedacceptedalgorithms hostbasedauthentication hostbasedusesnamefrompacketonly ignorerhosts include \
    ipqos kbdinteractiveauthentication kerberosauthentication loglevel logverbose match maxauthtries \
    maxsessions pamservicename passwordauthentication permitemptypasswords permitlisten permitopen \
    permitrootlogin permittty rhostsrsaauthentication rsaauthentication permittunnel permituserrc pubkeyacceptedalgorithms pubkeyauthentication \
    pubkeyauthoptions rdomain refuseconnection rekeylimit requiredrsasize revokedkeys setenv \
    streamlocalbindmask streamlocalbindunlink subsystem trustedusercakeys unusedconnectiontimeout \
    x11displayoffset x11forwarding x11uselocalhost";

/// Keywords that sshd still accepts and ignores.
const IGNORED: &str = "afstokenpassing authorizedkeysfile2 checkmail gssapiusesessioncredcache \
    gssusesessionccache kerberostgtpassing keyregenerationinterval pamauthenticationviakbdint \
    permitblacklistedkeys protocol reversemappingcheck rhostsauthentication serverkeybits uselogin useprivilegeseparation verifyreversemapping";

/// Other names, and the keywords that they stand for.
const ALIASES: [(&str, &str); 7] = [
    ("challengeresponseauthentication", "kbdinteractiveauthentication"),
    ("dsaauthentication", "pubkeyauthentication"),
    ("gssapicleanupcreds", "gssapicleanupcredentials"),
    ("hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"),
    ("hostdsakey", "hostkey"),
    ("pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"),
    ("skeyauthentication", "kbdinteractiveauthentication"),
];

/// Keywords that came later than 7.4, and when. Other names for a keyword are older than the keyword.
const SINCE: [(&str, Version); 23] = [
    ("casignaturealgorithms", (7, 9)),
    ("channeltimeout", (9, 2)),
    ("exposeauthinfo", (7, 6)),
    ("hostbasedacceptedalgorithms", (8, 5)),
    ("include", (8, 2)),
    ("logverbose", (8, 5)),
    ("modulifile", (8, 6)),
    ("pamservicename", (9, 8)),
    ("permitlisten", (7, 8)),
    ("persourcemaxstartups", (8, 5)),
    ("persourcenetblocksize", (8, 5)),
    ("persourcepenalties", (9, 8)),
    ("persourcepenaltyexemptlist", (9, 8)),
    ("pubkeyacceptedalgorithms", (8, 5)),
    ("pubkeyauthoptions", (8, 2)),
    ("rdomain", (7, 8)),
    ("refuseconnection", (9, 9)),
    ("requiredrsasize", (9, 1)),
    ("securitykeyprovider", (8, 2)),
    ("setenv", (7, 8)),
    ("sshdauthpath", (10, 0)),
    ("sshdsessionpath", (9, 8)),
    ("unusedconnectiontimeout", (9, 2)),
];

/// Compiled defaults of the keywords that rules ask for.
const DEFAULTS: [(&str, &str); 41] = [
    ("allowagentforwarding", "yes"),
    ("allowstreamlocalforwarding", "yes"),
    ("allowtcpforwarding", "yes"),
    ("authenticationmethods", "any"),
    ("authorizedkeyscommand", "none"),
    ("authorizedkeyscommanduser", "none"),
    ("authorizedkeysfile", ".ssh/authorized_keys .ssh/authorized_keys2"),
    ("authorizedprincipalscommand", "none"),
    ("authorizedprincipalsfile", "none"),
    ("banner", "none"),
    ("clientalivecountmax", "3"),
    ("clientaliveinterval", "0"),
    ("disableforwarding", "no"),
    ("exposeauthinfo", "no"),
    ("forcecommand", "none"),
    ("gatewayports", "no"),
    ("gssapiauthentication", "no"),
    ("hostbasedauthentication", "no"),
    ("ignorerhosts", "yes"),
    ("kbdinteractiveauthentication", "yes"),
    ("kerberosauthentication", "no"),
    ("logingracetime", "120"),
    ("loglevel", "INFO"),
    ("maxauthtries", "6"),
    ("maxsessions", "10"),
    ("maxstartups", "10:30:100"),
    ("passwordauthentication", "yes"),
    ("permitemptypasswords", "no"),
    ("permitrootlogin", "prohibit-password"),
    ("permittunnel", "no"),
    ("permituserenvironment", "no"),
    ("permituserrc", "yes"),
    ("port", "22"),
    ("pubkeyauthentication", "yes"),
    ("requiredrsasize", "1024"),
    ("strictmodes", "yes"),
    ("trustedusercakeys", "none"),
    ("usedns", "no"),
    ("usepam", "no"),
    ("x11forwarding", "no"),
    ("x11uselocalhost", "yes"),
];

/// What a keyword is to sshd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Accepted anywhere.
    Anywhere,
    /// Accepted outside `Match` blocks.
    Global,
    /// Accepted outside `Match` blocks, and ignored.
    Ignored,
    /// Not a keyword of this version: sshd refuses to start.
    Unknown,
}

/// Returns the keyword that a name in lower case stands for.
pub(super) fn canonical(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, keyword)| keyword)
}

/// Tells what a name in lower case is to sshd of `version`, or of any known version when it is unknown.
pub(super) fn known(name: &str, version: Option<Version>) -> Known {
    let keyword = canonical(name);
    let is_in = |list: &str| list.split_ascii_whitespace().any(|known| known == keyword);
    let since = SINCE.iter().find(|(later, _)| *later == name).map(|(_, since)| *since);
    match (version, since) {
        (Some(version), Some(since)) if version < since => Known::Unknown,
        // Another name for a keyword that may stand anywhere, and that may not.
        _ if name == "dsaauthentication" => Known::Global,
        // Subsystem may stand in Match blocks since 9.5 only.
        (Some(version), _) if keyword == "subsystem" && version < (9, 5) => Known::Global,
        _ if is_in(ANYWHERE) => Known::Anywhere,
        _ if is_in(GLOBAL) => Known::Global,
        _ if is_in(IGNORED) => Known::Ignored,
        _ => Known::Unknown,
    }
}

/// Returns the compiled default of a canonical keyword.
pub(super) fn default(keyword: &str) -> Option<&'static str> {
    DEFAULTS.iter().find(|(name, _)| *name == keyword).map(|(_, value)| *value)
}

/// Brings a value into the form that is compared: switches in lower case, other names for a value replaced.
pub(super) fn canonical_value(value: &str) -> String {
    match value.to_ascii_lowercase().as_str() {
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        "without-password" => "prohibit-password".to_owned(),
        lower @ ("yes"
        | "no"
        | "none"
        | "any"
        | "local"
        | "remote"
        | "all"
        | "prohibit-password"
        | "forced-commands-only") => lower.to_owned(),
        _ => value.to_owned(),
    }
}
