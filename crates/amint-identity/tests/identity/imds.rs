//! Asking a metadata service; the service is a thread of the test on the loopback interface.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use amint_identity::imds::{Client, ProofError};
use amint_identity::{Expect, Form, Refusal};

use crate::support::*;

/// What the service answers to each path; what is not listed is a 404.
#[derive(Clone, Default)]
struct Service {
    answers: BTreeMap<String, Vec<u8>>,
    /// Statuses of the first answers, in place of the right ones; 0 leaves the right one.
    first_statuses: Vec<u16>,
    is_token_lost: bool,
}

impl Service {
    fn new(form: Form) -> Self {
        let identity = "/latest/dynamic/instance-identity";
        let answers = [
            (format!("{identity}/document"), LOCAL_DOCUMENT.to_vec()),
            (format!("{identity}/{form}"), sign(form, LOCAL_DOCUMENT)),
            ("/latest/meta-data/product-codes".to_owned(), b"4uq8ze3nldxj14h5ab12cd34e\nabc".to_vec()),
        ];
        Self { answers: answers.into(), ..Self::default() }
    }

    /// Starts the service, and returns its address and the requests that came.
    fn start(mut self) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming().flatten() {
                open.extend(self.answer(stream, &log));
            }
        });
        (endpoint, requests)
    }

    /// Answers one request; a connection that gets no answer is given back, to stay open.
    fn answer(&mut self, mut stream: TcpStream, log: &Mutex<Vec<String>>) -> Option<TcpStream> {
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let request = head.first()?.trim_end_matches(" HTTP/1.1").to_owned();
        log.lock().unwrap().push(request.clone());
        let has = |header: &str| head.iter().any(|line| line == header);
        if self.is_token_lost {
            return Some(stream);
        }
        let forced = if self.first_statuses.is_empty() { 0 } else { self.first_statuses.remove(0) };
        let (status, body) = if forced != 0 {
            (forced, Vec::new())
        } else if request == "PUT /latest/api/token" && has("X-aws-ec2-metadata-token-ttl-seconds: 60") {
            (200, b"TOKEN==".to_vec())
        } else if !has("X-aws-ec2-metadata-token: TOKEN==") {
            (401, Vec::new())
        } else {
            let body = self.answers.get(request.trim_start_matches("GET "));
            body.map_or((404, Vec::new()), |body| (200, body.clone()))
        };
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        None
    }
}

fn prove(service: Service, expect: &Expect) -> Result<(), ProofError> {
    let (endpoint, _) = service.start();
    Client::new(&endpoint).unwrap().prove(expect).map(|_| ())
}

#[test]
fn proves_an_instance_with_a_token_in_every_form() {
    for form in Form::ALL {
        let (endpoint, requests) = Service::new(form).start();
        let expect = local().forms([form]).product_code("abc");
        let verified = Client::new(&endpoint).unwrap().prove(&expect).unwrap();
        assert_eq!(verified.form, form);
        let requests = requests.lock().unwrap();
        assert_eq!(requests.len(), 4);
        assert_eq!(requests[0], "PUT /latest/api/token");
    }
}

#[test]
fn metadata_that_lists_other_codes_is_refused() {
    for codes in ["abc", "abc\n4uq8ze3nldxj14h5ab12cd34e\nmore"] {
        let mut service = Service::new(Form::Rsa2048);
        service.answers.insert("/latest/meta-data/product-codes".to_owned(), codes.as_bytes().to_vec());
        let error = prove(service, &local()).unwrap_err();
        assert!(matches!(error, ProofError::Refused(Refusal::ProductCodesDiffer { .. })), "{error:?}");
    }
    let mut service = Service::new(Form::Rsa2048);
    service.answers.remove("/latest/meta-data/product-codes");
    let error = prove(service, &local()).unwrap_err();
    assert!(matches!(error, ProofError::Refused(Refusal::ProductCodesDiffer { .. })), "{error:?}");
}

#[test]
fn absence_a_lost_answer_and_a_refusal_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(&endpoint).unwrap().prove(&local()).unwrap_err();
    assert!(matches!(error, ProofError::NotOnEc2 { .. }), "{error:?}");

    let (endpoint, requests) = Service { is_token_lost: true, ..Service::default() }.start();
    let client = Client::new(&endpoint).unwrap().timeout(Duration::from_millis(50)).attempts(2);
    let start = Instant::now();
    assert!(matches!(client.prove(&local()), Err(ProofError::HopLimit { .. })));
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(requests.lock().unwrap().len(), 2);

    let service = Service { first_statuses: vec![403], ..Service::default() };
    assert!(matches!(prove(service, &local()), Err(ProofError::Forbidden)));
}

#[test]
fn a_service_without_tokens_is_never_asked_in_the_first_version() {
    let (endpoint, requests) = Service { first_statuses: vec![404; 9], ..Service::default() }.start();
    let error = Client::new(&endpoint).unwrap().prove(&local()).unwrap_err();
    assert!(matches!(error, ProofError::UnexpectedStatus { status: 404, .. }), "{error:?}");
    assert_eq!(*requests.lock().unwrap(), ["PUT /latest/api/token"]);
}

#[test]
fn failures_of_the_service_are_tried_again_and_stale_tokens_replaced() {
    let service = Service { first_statuses: vec![503, 500], ..Service::new(Form::Rsa2048) };
    prove(service, &local()).unwrap();
    let service = Service { first_statuses: vec![0, 401], ..Service::new(Form::Rsa2048) };
    prove(service, &local()).unwrap();
    let service = Service { first_statuses: vec![0, 401, 0, 401], ..Service::new(Form::Rsa2048) };
    assert!(prove(service, &local()).is_err());
    let service = Service { first_statuses: vec![503, 500, 503], ..Service::new(Form::Rsa2048) };
    let error = prove(service, &local()).unwrap_err();
    assert!(matches!(error, ProofError::UnexpectedStatus { status: 503, .. }), "{error:?}");
}

#[test]
fn addresses_of_the_service_are_checked() {
    for endpoint in
        ["http://169.254.169.254", "http://[fd00:ec2::254]", "http://[::1]:8080/", "http://127.0.0.1:1"]
    {
        let _ = Client::new(endpoint).unwrap();
    }
    for endpoint in [
        "",
        "https://169.254.169.254",
        "http://",
        "http://a@127.0.0.1",
        "http://127.0.0.1/path",
        "http://[::1",
    ] {
        assert!(matches!(Client::new(endpoint), Err(ProofError::Endpoint { .. })), "{endpoint}");
    }
}
