//! The HTTP client below vaultrs' requests: the library's own would read an answer of any length into memory.

use async_trait::async_trait;
use hyper::{Request, Response};
use rustify::client::Client;
use rustify::errors::ClientError;
use zeroize::Zeroizing;

/// Vault itself stores no entry of more than a megabyte; JSON and what stands around it come on top.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Asks at one address, and reads no more of an answer than [`BODY_BYTES_MAX`].
pub(super) struct Bounded {
    pub(super) base: String,
    pub(super) http: reqwest::Client,
}

#[async_trait]
impl Client for Bounded {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|source| ClientError::ReqwestBuildError { source })?;
        let (url, method) = (request.url().to_string(), request.method().to_string());
        let sent = self.http.execute(request).await;
        let mut answer =
            sent.map_err(|error| ClientError::RequestError { source: error.into(), url, method })?;
        let mut head = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            head = head.header(name, value);
        }
        let mut body = Zeroizing::new(Vec::new());
        let broken = |error: reqwest::Error| ClientError::ResponseError { source: error.into() };
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > BODY_BYTES_MAX {
                let text = format!("the answer has more than {BODY_BYTES_MAX} bytes");
                return Err(ClientError::ResponseError { source: std::io::Error::other(text).into() });
            }
            body.extend_from_slice(&chunk);
        }
        head.body(std::mem::take(&mut *body))
            .map_err(|error| ClientError::ResponseError { source: error.into() })
    }

    fn base(&self) -> &str {
        &self.base
    }
}
