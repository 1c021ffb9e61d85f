//! Chat, mail, telephony, social networks.

use amint_types::Severity::High;

use crate::kind::Kind;

pub(crate) const KINDS: &[Kind] = &[
    Kind::token("slack-bot-token", "Slack bot token", &[b"xoxb-"], "xoxb-[0-9]{8,14}-[0-9]{8,14}-[A-Za-z0-9]{18,34}"),
    Kind::token("slack-user-token", "Slack user token", &[b"xoxp-"], "xoxp-[0-9]{8,14}-[0-9]{8,14}-[0-9]{8,14}-[a-f0-9]{28,34}"),
    Kind::token("slack-old-token", "Slack workspace token", &[b"xoxa-", b"xoxr-", b"xoxs-", b"xoxo-"], "xox[arso]-(?:2-)?[0-9A-Za-z-]{30,90}").entropy(3.3),
    Kind::token("slack-config-token", "Slack configuration token", &[b"xoxe.", b"xoxe-"], r"xoxe(?:\.xox[bp])?-[0-9]-[A-Za-z0-9]{140,180}").entropy(3.8),
    Kind::token("slack-app-token", "Slack app token", &[b"xapp-"], "xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{10,14}-[a-z0-9]{60,68}"),
    Kind::token("slack-webhook", "Slack webhook", &[b"hooks.slack.com/"], "hooks\\.slack\\.com/(?:services|workflows|triggers)/([A-Z0-9]{8,12}/[A-Za-z0-9]{8,20}/[A-Za-z0-9/]{20,40})")
        .severity(High)
        .examples(&["T00000000/B00000000", "XXXXXXXX"]),
    Kind::token("discord-bot-token", "Discord bot token", &[b"discord", b"Bot "], r#"(?i:discord[a-z_.-]{0,30}["'\]]{0,2}\s{0,4}[=:]\s{0,4}|Bot )["']?([MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38})"#),
    Kind::token("discord-webhook", "Discord webhook", &[b"discord.com/api/webhooks/", b"discordapp.com/api/webhooks/"], r"discord(?:app)?\.com/api/webhooks/([0-9]{17,20}/[A-Za-z0-9_-]{60,80})").severity(High),
    Kind::token("telegram-bot-token", "Telegram bot token", &[b":AA"], "[0-9]{8,10}:AA[A-Za-z0-9_-]{33}").lead(10).entropy(4.0),
    Kind::token("teams-webhook", "Microsoft Teams webhook", &[b".webhook.office.com/"], r"\.webhook\.office\.com/webhookb2/([0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36})").severity(High),
    Kind::assigned("twilio-auth-token", "Twilio auth token", &[b"twilio"], "[a-f0-9]{32}"),
    Kind::token("sendgrid-key", "SendGrid API key", &[b"SG."], r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}").entropy(4.0),
    Kind::assigned("mailgun-key", "Mailgun key", &[b"mailgun", b"mg_api_key"], "(?:key-[a-f0-9]{32}|[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8})"),
    Kind::token("mailchimp-key", "Mailchimp API key", &[b"-us1", b"-us2", b"-us3", b"-us4", b"-us5", b"-us6", b"-us7", b"-us8", b"-us9"], "[a-f0-9]{32}-us[0-9]{1,2}").lead(32),
    Kind::token("mandrill-key", "Mailchimp transactional key", &[b"md-"], "md-[A-Za-z0-9_-]{22}").severity(High).entropy(4.0),
    Kind::token("brevo-key", "Brevo API key", &[b"xkeysib-", b"xsmtpsib-"], "x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    Kind::assigned("postmark-token", "Postmark token", &[b"postmark"], "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    Kind::token("resend-key", "Resend API key", &[b"re_"], "re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}").entropy(3.9),
    Kind::assigned("mattermost-token", "Mattermost token", &[b"mattermost"], "[a-z0-9]{26}").entropy(3.5),
    Kind::assigned("sparkpost-key", "SparkPost key", &[b"sparkpost"], "[a-f0-9]{40}"),
    Kind::assigned("mailjet-key", "Mailjet key", &[b"mailjet", b"mj_apikey"], "[a-f0-9]{32}"),
    Kind::assigned("vonage-secret", "Vonage secret", &[b"nexmo", b"vonage"], "[A-Za-z0-9]{16}").entropy(3.2),
    Kind::assigned("messagebird-key", "MessageBird key", &[b"messagebird"], "[A-Za-z0-9]{25}").entropy(3.6),
    Kind::token("facebook-token", "Facebook access token", &[b"EAA"], "EAA[MC][A-Za-z0-9]{100,250}").severity(High).entropy(4.0),
    Kind::token("instagram-token", "Instagram access token", &[b"IGQ"], "IGQ[VWU][A-Za-z0-9_-]{100,250}").severity(High).entropy(4.0),
    Kind::token("x-bearer-token", "X (Twitter) bearer token", &[b"AAAAAAAAAAAAAAAAAAAAA"], "AAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{80,120}").severity(High).entropy(4.3),
    Kind::assigned("x-secret", "X (Twitter) secret", &[b"twitter"], "(?:[A-Za-z0-9]{50}|[A-Za-z0-9]{45}|[0-9]{8,20}-[A-Za-z0-9]{40})").entropy(4.0),
    Kind::assigned("linkedin-secret", "LinkedIn client secret", &[b"linkedin"], r"(?:WPL_AP1\.[A-Za-z0-9]{16}\.[A-Za-z0-9]{6}==|[A-Za-z0-9]{16})").entropy(3.3),
    Kind::assigned("pushover-token", "Pushover token", &[b"pushover"], "[a-z0-9]{30}").entropy(3.6),
    Kind::token("matrix-token", "Matrix access token", &[b"syt_"], "syt_[A-Za-z0-9+/=]{2,200}_[A-Za-z]{20}_[A-Za-z0-9]{6}").severity(High),
];
