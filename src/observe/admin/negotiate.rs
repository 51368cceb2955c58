//! Which of the two forms of the metrics a peer wants: `Accept`, with its q-values.

use hyper::header::{ACCEPT, HeaderMap};

use crate::observe::exposition::Form;

pub(super) fn content_type(form: Form) -> &'static str {
    match form {
        Form::Text => "text/plain; version=0.0.4; charset=utf-8",
        Form::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    }
}

fn media_type(form: Form) -> (&'static str, &'static str, &'static str) {
    match form {
        Form::Text => ("text", "plain", "0.0.4"),
        Form::OpenMetrics => ("application", "openmetrics-text", "1.0.0"),
    }
}

/// The form that `headers` prefer. Where nothing decides, and where neither is wanted, it is the text: a page that a
/// peer may throw away is worth more to it than a 406.
pub(super) fn preferred(headers: &HeaderMap) -> Form {
    let fields: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|field| field.to_str().ok()).collect();
    let ranges: Vec<Range<'_>> =
        fields.iter().flat_map(|field| field.split(',')).filter_map(Range::parse).collect();
    match weight(&ranges, Form::OpenMetrics) > weight(&ranges, Form::Text) {
        true => Form::OpenMetrics,
        false => Form::Text,
    }
}

/// One range of an `Accept` header.
struct Range<'a> {
    major: &'a str,
    minor: &'a str,
    version: Option<&'a str>,
    /// Thousandths.
    weight: u32,
}

impl Range<'_> {
    /// Nothing if it is no media range.
    fn parse(text: &str) -> Option<Range<'_>> {
        let mut parts = text.split(';').map(str::trim);
        let (major, minor) = parts.next()?.split_once('/')?;
        let mut range = Range { major, minor, version: None, weight: 1000 };
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if name.eq_ignore_ascii_case("q") {
                range.weight = thousandths(value)?;
            } else if name.eq_ignore_ascii_case("version") {
                range.version = Some(value.trim_matches('"'));
            }
        }
        Some(range)
    }

    /// How exactly the range means `form`, if it does.
    fn precision(&self, form: Form) -> Option<u8> {
        let (major, minor, version) = media_type(form);
        if (self.major, self.minor) == ("*", "*") {
            return Some(0);
        }
        if !self.major.eq_ignore_ascii_case(major) {
            return None;
        }
        match self.version {
            _ if self.minor == "*" => Some(1),
            _ if !self.minor.eq_ignore_ascii_case(minor) => None,
            None => Some(2),
            Some(wanted) => (wanted == version).then_some(3),
        }
    }
}

/// The weight of the range that means `form` most exactly; zero if none does.
fn weight(ranges: &[Range<'_>], form: Form) -> u32 {
    let meant = ranges.iter().filter_map(|range| Some((range.precision(form)?, range.weight)));
    meant.max().map_or(0, |(_, weight)| weight)
}

/// `0.75` is 750; nothing if it is no q-value.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let good =
        matches!(whole, "0" | "1") && rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    let value = whole.parse::<u32>().ok()? * 1000 + format!("{rest:0<3}").parse::<u32>().ok()?;
    (good && value <= 1000).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted_by(fields: &[&str]) -> Form {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(ACCEPT, field.parse().unwrap());
        }
        preferred(&headers)
    }

    #[test]
    fn the_form_is_the_one_that_is_wanted_more() {
        // What Prometheus 3 and Prometheus 2 send.
        let three = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;\
                     q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let two = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;\
                   q=0.5,*/*;q=0.1";
        for (fields, form) in [
            (&[three][..], Form::OpenMetrics),
            (&[two], Form::OpenMetrics),
            (&[], Form::Text),
            (&["*/*"], Form::Text),
            (&["text/html, */*;q=0.5"], Form::Text),
            (&["application/openmetrics-text"], Form::OpenMetrics),
            (&["Application/OpenMetrics-Text; Version=\"1.0.0\""], Form::OpenMetrics),
            (&["application/openmetrics-text; version=0.0.1, text/plain;q=0.1"], Form::Text),
            (&["application/openmetrics-text; version=2.0.0"], Form::Text),
            (&["application/*"], Form::OpenMetrics),
            (&["application/*, text/*"], Form::Text),
            (&["application/openmetrics-text;q=0.5, text/plain;q=0.5"], Form::Text),
            (&["application/openmetrics-text;q=0.501, text/plain;q=0.5"], Form::OpenMetrics),
            (&["application/openmetrics-text;q=0, */*"], Form::Text),
            (&["text/plain;q=0, */*"], Form::OpenMetrics),
            (&["text/plain;q=0", "application/openmetrics-text;q=0.001"], Form::OpenMetrics),
            // What is no q-value makes its range none.
            (&["application/openmetrics-text;q=2"], Form::Text),
            (&["application/openmetrics-text;q=0.1234"], Form::Text),
            (&["application/openmetrics-text;q=high"], Form::Text),
            (&["application/openmetrics-text;q="], Form::Text),
            (&["nonsense, ;;, /,application/openmetrics-text"], Form::OpenMetrics),
        ] {
            assert_eq!(wanted_by(fields), form, "{fields:?}");
        }
    }

    #[test]
    fn weights_have_three_digits() {
        for (text, value) in
            [("1", 1000), ("1.000", 1000), ("0", 0), ("0.", 0), ("0.5", 500), ("0.05", 50), ("0.999", 999)]
        {
            assert_eq!(thousandths(text), Some(value), "{text}");
        }
        for text in ["", ".5", "1.001", "2", "-1", "0.0001", "0,5", "00", "1.0x"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
    }
}
