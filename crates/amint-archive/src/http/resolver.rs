//! Addresses of hosts, looked up once per operation.
//!
//! `ureq` looks a host up for every request, also for those that go over a connection that is open already. Hundreds of
//! packages come from one host, so that is hundreds of lookups, each of which may be lost and then takes seconds.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use ureq::Proxy;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::Authority;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Finds addresses, and remembers them.
#[derive(Default)]
pub(super) struct Remembering {
    found: Mutex<HashMap<String, Vec<SocketAddr>>>,
    /// Every request goes to this proxy, whatever host it is for: its name may be known to the proxy only.
    proxy: Option<Proxy>,
}

impl Remembering {
    /// Makes a resolver that finds the address of a proxy only.
    pub(super) fn of_proxy(proxy: &Proxy) -> Self {
        Self { proxy: Some(proxy.clone()), ..Self::default() }
    }
}

impl Resolver for Remembering {
    fn resolve(
        &self,
        uri: &Uri,
        configuration: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let of_proxy = match &self.proxy {
            Some(proxy) => {
                let text = format!("http://{}:{}/", proxy.host(), proxy.port());
                Some(text.parse::<Uri>().map_err(|_| ureq::Error::InvalidProxyUrl)?)
            }
            None => None,
        };
        let uri = of_proxy.as_ref().unwrap_or(uri);
        let name = format!("{:?} {:?}", uri.scheme_str(), uri.authority().map(Authority::as_str));
        // One lookup at a time: the others wait for its result rather than to ask the same.
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(addresses) = found.get(&name) {
            let mut result = self.empty();
            for address in addresses {
                result.push(*address);
            }
            return Ok(result);
        }
        let result = DefaultResolver::default().resolve(uri, configuration, timeout)?;
        found.insert(name, result.to_vec());
        Ok(result)
    }
}

impl fmt::Debug for Remembering {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Remembering").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_a_host_up_once() {
        let resolver = Remembering::default();
        let uri: Uri = "http://127.0.0.1:81/a".parse().unwrap();
        let resolve = |uri: &Uri| {
            let agent = ureq::Agent::new_with_defaults();
            resolver.resolve(uri, agent.config(), NextTimeout::default()).map(|found| found.to_vec())
        };
        let first = resolve(&uri).unwrap();
        assert_eq!(first, ["127.0.0.1:81".parse().unwrap()]);
        let other = "127.0.0.2:9".parse().unwrap();
        resolver.found.lock().unwrap().values_mut().for_each(|found| *found = vec![other]);
        assert_eq!(resolve(&uri).unwrap(), [other], "it is remembered");
        assert_eq!(
            resolve(&"http://127.0.0.1:82/a".parse().unwrap()).unwrap(),
            ["127.0.0.1:82".parse().unwrap()]
        );
    }
}
