//! Against amint's own endpoint over HTTP: the SDK signs, the endpoint verifies.

mod publish;
mod support;
