//! What both programs of tests need.

use std::net::Ipv4Addr;

use amint_cloud::Endpoint;

/// Serves an endpoint on a port of its own until the test's process ends, and returns its URL.
pub(crate) fn serve(served: Endpoint) -> String {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            served.serve(tokio::net::TcpListener::from_std(listener).unwrap()).await.unwrap();
        });
    });
    url
}
