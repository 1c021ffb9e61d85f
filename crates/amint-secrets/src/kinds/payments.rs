//! Payments and trade.

use amint_types::Severity::{High, Low, Medium};

use crate::kind::Kind;

pub(crate) const KINDS: &[Kind] = &[
    Kind::token("stripe-key", "Stripe secret key", &[b"sk_live_"], "sk_live_[A-Za-z0-9]{24,247}"),
    Kind::token(
        "stripe-restricted-key",
        "Stripe restricted key",
        &[b"rk_live_"],
        "rk_live_[A-Za-z0-9]{24,247}",
    ),
    Kind::token(
        "stripe-test-key",
        "Stripe key for tests",
        &[b"sk_test_", b"rk_test_"],
        "[sr]k_test_[A-Za-z0-9]{24,247}",
    )
    .severity(Low)
    .examples(&["4eC39HqLyjWDarjtT1zdp7dc"]),
    Kind::token("stripe-webhook-secret", "Stripe webhook secret", &[b"whsec_"], "whsec_[A-Za-z0-9+/]{32,64}")
        .severity(High)
        .entropy(3.8),
    Kind::token("square-token", "Square access token", &[b"sq0atp-"], "sq0atp-[A-Za-z0-9_-]{22}")
        .entropy(3.9),
    Kind::assigned(
        "square-new-token",
        "Square access token of new form",
        &[b"square"],
        "EAAA[A-Za-z0-9_-]{60}",
    )
    .entropy(4.0),
    Kind::token("square-secret", "Square OAuth secret", &[b"sq0csp-"], "sq0csp-[A-Za-z0-9_-]{43}"),
    Kind::token(
        "shopify-token",
        "Shopify access token",
        &[b"shpat_", b"shpca_", b"shppa_"],
        "shp(?:at|ca|pa)_[a-fA-F0-9]{32}",
    ),
    Kind::token("shopify-secret", "Shopify shared secret", &[b"shpss_"], "shpss_[a-fA-F0-9]{32}"),
    Kind::token(
        "paypal-braintree-token",
        "PayPal Braintree token",
        &[b"access_token$production$"],
        r"access_token\$production\$[a-z0-9]{16}\$[a-f0-9]{32}",
    ),
    Kind::assigned("paypal-secret", "PayPal secret", &[b"paypal"], "E[A-Za-z0-9_-]{79}").entropy(4.3),
    Kind::token("razorpay-key", "Razorpay key id", &[b"rzp_live_"], "rzp_live_[A-Za-z0-9]{14,24}")
        .severity(Medium),
    Kind::token("flutterwave-key", "Flutterwave secret key", &[b"FLWSECK-"], "FLWSECK-[a-zA-Z0-9]{32}-X"),
    Kind::token(
        "plaid-token",
        "Plaid access token",
        &[b"access-production-"],
        "access-production-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    Kind::assigned("plaid-secret", "Plaid secret", &[b"plaid"], "[a-f0-9]{30}"),
    Kind::assigned("mollie-key", "Mollie key", &[b"mollie"], "live_[A-Za-z0-9]{30}").entropy(3.6),
    Kind::assigned(
        "gocardless-token",
        "GoCardless token",
        &[b"gocardless", b"gc_access"],
        "live_[A-Za-z0-9_=-]{40}",
    )
    .entropy(3.8),
    Kind::assigned("adyen-key", "Adyen API key", &[b"adyen"], "AQE[A-Za-z0-9+/=*-]{80,300}").entropy(4.0),
    Kind::assigned("coinbase-secret", "Coinbase secret", &[b"coinbase"], "[A-Za-z0-9_-]{64}").entropy(4.0),
    Kind::assigned("binance-secret", "Binance secret", &[b"binance"], "[A-Za-z0-9]{64}").entropy(4.0),
    Kind::assigned("kraken-secret", "Kraken secret", &[b"kraken"], "[A-Za-z0-9/+]{86}==").entropy(4.5),
    Kind::token("easypost-key", "EasyPost key", &[b"EZAK"], "EZAK[A-Za-z0-9]{54}").entropy(3.9),
    Kind::token("shippo-token", "Shippo token", &[b"shippo_live_"], "shippo_live_[a-f0-9]{40}"),
    Kind::token("duffel-token", "Duffel token", &[b"duffel_live_"], "duffel_live_[A-Za-z0-9_=-]{43}"),
    Kind::assigned(
        "wise-token",
        "Wise token",
        &[b"transferwise", b"wise_api"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
];
