//! The way from a command to AWS.

use std::future::Future;

use amint_aws::{ConnectError, Connection};
use amint_publish::calls::Purpose;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// How many threads carry connections: encryption takes a processor each 500 MB/s or so.
const THREADS_MAX: usize = 4;

/// Runs what speaks with AWS.
pub(crate) fn run<T, F: Future<Output = Result<T, Failure>>>(
    purpose: Purpose,
    work: impl FnOnce(Connection) -> F,
) -> Result<T, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(THREADS_MAX));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(ExitCode::Environment, error))?;
    runtime.block_on(async {
        let connection = Connection::open(purpose).await?;
        work(connection).await
    })
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::NobodyThere { .. } => Self::new(ExitCode::Environment, error)
                .hint("start it (`amint cloud up`), or unset AWS_ENDPOINT_URL to reach AWS itself"),
            error => Self::new(ExitCode::Environment, error),
        }
    }
}
