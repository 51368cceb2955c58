//! Pages of a listing, and the signed links between them. Nothing is stored for a link.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, hmac};
use serde::{Deserialize, Serialize};

/// Objects of a page when `Prefer` names no other number, and the most it may name.
pub(super) const PAGE_SIZE_MAX: u64 = 1000;

/// Objects of a listing when `ResultSize` names no other number.
pub(super) const RESULT_SIZE_DEFAULT: u64 = 1000;

/// Where a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The next index to look at.
    #[serde(rename = "p")]
    pub(super) position: u64,
    /// Objects that `ResultSize` still allows; `None`: no limit.
    #[serde(rename = "l")]
    pub(super) left: Option<u64>,
    /// What the link is bound to: digest of tenant, anchor, cookie and body.
    #[serde(rename = "b")]
    pub(super) bound: String,
    /// Milliseconds since boot.
    #[serde(rename = "e")]
    pub(super) expires: u64,
}

/// Makes and checks the links' marks.
pub(super) struct Links(hmac::Key);

impl Links {
    pub(super) fn new(key: &[u8]) -> Links {
        Links(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(super) fn seal(&self, mark: &Mark) -> String {
        let text = serde_json::to_string(mark).expect("numbers and a string");
        let signature = hmac::sign(&self.0, text.as_bytes());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(signature))
    }

    /// The mark, if it is ours, of this time and bound to the same caller.
    pub(super) fn open(&self, sealed: &str, bound: &str, now: u64) -> Option<Mark> {
        let (text, signature) = sealed.split_once('.')?;
        let (text, signature) = (URL_SAFE_NO_PAD.decode(text).ok()?, URL_SAFE_NO_PAD.decode(signature).ok()?);
        hmac::verify(&self.0, &text, &signature).ok()?;
        let mark: Mark = serde_json::from_slice(&text).ok()?;
        (mark.bound == bound && now < mark.expires).then_some(mark)
    }
}

/// A digest of everything a link is bound to.
pub(super) fn bound_to(parts: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    URL_SAFE_NO_PAD.encode(&context.finish().as_ref()[..12])
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) indexes: Vec<u64>,
    /// Where the next page begins and what `ResultSize` leaves it.
    pub(super) next: Option<(u64, Option<u64>)>,
    /// `ResultSize` ended the listing before its end.
    pub(super) cut_short: bool,
}

/// Finds the page that begins at `start` among `total` objects.
pub(super) fn page(
    total: u64,
    start: u64,
    page_size: u64,
    left: Option<u64>,
    mut passes: impl FnMut(u64) -> bool,
) -> Page {
    let wanted = left.map_or(page_size, |left| left.min(page_size));
    let mut indexes = Vec::new();
    let mut after = None;
    for index in start..total {
        if passes(index) {
            if indexes.len() as u64 == wanted {
                after = Some(index);
                break;
            }
            indexes.push(index);
        }
    }
    let left = left.map(|left| left - indexes.len() as u64);
    match (after, left) {
        (None, _) => Page { indexes, next: None, cut_short: false },
        (Some(_), Some(0)) => Page { indexes, next: None, cut_short: true },
        (Some(index), left) => Page { indexes, next: Some((index, left)), cut_short: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn even(index: u64) -> bool {
        index.is_multiple_of(2)
    }

    #[test]
    fn pages_cover_everything_once() {
        let mut seen = Vec::new();
        let (mut start, mut left) = (0, None);
        loop {
            let page = page(101, start, 7, left, even);
            assert!(page.indexes.len() <= 7 && !page.cut_short);
            seen.extend(page.indexes);
            match page.next {
                Some((next, rest)) => (start, left) = (next, rest),
                None => break,
            }
        }
        assert_eq!(seen, (0..101).filter(|i| even(*i)).collect::<Vec<_>>());
    }

    #[test]
    fn result_size_limits_the_whole_listing() {
        let first = page(100, 0, 7, Some(10), even);
        assert_eq!((first.indexes.len(), first.next), (7, Some((14, Some(3)))));
        let second = page(100, 14, 7, Some(3), even);
        assert_eq!((second.indexes, second.next, second.cut_short), (vec![14, 16, 18], None, true));
        let exact = page(20, 0, 1000, Some(10), even);
        assert_eq!((exact.indexes.len(), exact.next, exact.cut_short), (10, None, false));
    }

    #[test]
    fn a_full_last_page_has_no_link() {
        let page = page(10, 0, 5, None, even);
        assert_eq!((page.indexes.len(), page.next), (5, None));
    }

    #[test]
    fn a_link_is_good_for_its_caller_and_its_time_only() {
        let links = Links::new(b"key");
        let mark = Mark { position: 7, left: Some(3), bound: bound_to(&[b"a", b"b"]), expires: 100 };
        let sealed = links.seal(&mark);
        assert_eq!(links.open(&sealed, &mark.bound, 99), Some(mark.clone()));
        assert_eq!(links.open(&sealed, &mark.bound, 100), None);
        assert_eq!(links.open(&sealed, &bound_to(&[b"ab", b""]), 99), None);
        assert_eq!(Links::new(b"other").open(&sealed, &mark.bound, 99), None);
        assert_eq!(links.open("junk", &mark.bound, 99), None);
    }
}
