//! The cookies of one session: they keep a listing on the server that began it. Source: protocol reference, 3.8.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::header::{HeaderValue, SET_COOKIE};

/// The service sets two or three.
const COOKIES_MAX: usize = 32;
const COOKIE_BYTES_MAX: usize = 4096;

/// A jar for one origin: attributes are dropped, because a session talks to one host over TLS only.
#[derive(Debug, Default)]
pub(super) struct Cookies(BTreeMap<String, String>);

impl Cookies {
    /// Keeps what an answer sets; an empty value removes a cookie.
    pub(super) fn keep(&mut self, headers: &HeaderMap) {
        for value in headers.get_all(SET_COOKIE) {
            let Some((name, value)) =
                value.to_str().ok().and_then(|text| text.split(';').next()?.split_once('='))
            else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            if value.is_empty() {
                self.0.remove(name);
            } else if name.len() + value.len() <= COOKIE_BYTES_MAX
                && (self.0.len() < COOKIES_MAX || self.0.contains_key(name))
            {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// The `Cookie` header, if there is one to send.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        if self.0.is_empty() {
            return None;
        }
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        HeaderValue::from_str(&pairs.join("; ")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_come_back_without_attributes_until_they_are_removed() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static("a=1; path=/; secure"));
        headers.append(SET_COOKIE, HeaderValue::from_static("b=x=y"));
        let mut cookies = Cookies::default();
        cookies.keep(&headers);
        assert_eq!(cookies.header().unwrap(), "a=1; b=x=y");
        headers.clear();
        headers.append(SET_COOKIE, HeaderValue::from_static("a=; expires=Thu, 01 Jan 1970 00:00:00 GMT"));
        cookies.keep(&headers);
        assert_eq!(cookies.header().unwrap(), "b=x=y");
    }
}
