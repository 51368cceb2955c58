//! What time the sign-in service says it is. Source: protocol reference, 8 (clock).

use jiff::Timestamp;
use oauth2::http::{Method, Request, header};

use super::endpoint::LoginEndpoint;
use super::{SigninError, SigninErrorKind};

impl LoginEndpoint {
    /// The `Date` of an answer of the sign-in service, in whole seconds; `None` if it has none.
    ///
    /// # Errors
    /// No answer came, as with tokens.
    pub async fn date(&self) -> Result<Option<Timestamp>, SigninError> {
        // Asked of no tenant: what this says has to hold for all of them.
        let place =
            format!("{}/common/v2.0/.well-known/openid-configuration", self.base.trim_end_matches('/'));
        let request = Request::builder().method(Method::GET).uri(&place).body(Vec::new());
        let request = request.map_err(|error| {
            SigninError::new(SigninErrorKind::BadInput, format!("login endpoint: {error}"))
        })?;
        let answer = self.exchange(request).await.map_err(|why| why.at(&place))?;
        let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        Ok(date.and_then(|date| Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp())))
    }
}
