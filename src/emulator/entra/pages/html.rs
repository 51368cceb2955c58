//! The look of the pages: no script, nothing from elsewhere, every word of a request escaped.

use hyper::Response;
use uuid::Uuid;

use super::super::super::respond::{self, Body};

/// A part of a form.
pub(super) enum Part<'a> {
    /// A line of text.
    Text(&'a str),
    /// What went wrong.
    Wrong(&'a str),
    /// A field to fill in: name, label, kind, value, and what a browser may fill in itself.
    Field { name: &'a str, label: &'a str, kind: &'a str, value: &'a str, autocomplete: &'a str },
    /// A field that goes along.
    Hidden { name: &'a str, value: &'a str },
    /// A button: its name, its value, its label.
    Button { name: &'a str, value: &'a str, label: &'a str },
}

/// One page.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// Where its form goes; `None`: it has none.
    pub(super) action: Option<&'a str>,
    pub(super) parts: &'a [Part<'a>],
    pub(super) status: u16,
}

const STYLE: &str = "body{font:16px/1.5 sans-serif;background:#f2f2f2;margin:0;color:#1b1b1b}\
main{background:#fff;max-width:26em;margin:8vh auto;padding:2.5em;box-shadow:0 2px 6px #0003}\
h1{font-size:1.5em;font-weight:600;margin:0 0 1em}label{display:block;margin:1em 0}\
input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.4em;border:0;border-bottom:1px solid #666}\
button{font:inherit;padding:.4em 1.6em;margin:1em .6em 0 0;border:0;background:#ccc}\
button.first{background:#0067b8;color:#fff}.wrong{color:#a80000}footer{font-size:.8em;color:#666;margin-top:2em}";

impl Page<'_> {
    pub(super) fn answer(&self) -> Response<Body> {
        let nonce = Uuid::new_v4().simple().to_string();
        let mut response = respond::full(self.status, "text/html; charset=utf-8", self.html(&nonce));
        // Browsers hold a form to this list on its redirects too, and a sign-in ends at the program's loopback.
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self' http://localhost:*; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        respond::header(&mut response, "content-security-policy", &policy);
        // Not `no-referrer`: a browser would hide the origin of our own forms too, which is looked at.
        respond::header(&mut response, "referrer-policy", "same-origin");
        respond::header(&mut response, "x-content-type-options", "nosniff");
        response
    }

    fn html(&self, nonce: &str) -> String {
        let title = escaped(self.title);
        let mut first = true;
        let parts: String = self.parts.iter().map(|part| part.html(&mut first)).collect();
        let body = match self.action {
            Some(action) => {
                format!("<form method=\"post\" action=\"{}\">{parts}</form>", escaped(action))
            }
            None => parts,
        };
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <style nonce=\"{nonce}\">{STYLE}</style></head><body><main><h1>{title}</h1>{body}\
             <footer>EMULATED by exorun: no tenant and no account is behind this page.</footer></main></body></html>"
        )
    }
}

impl Part<'_> {
    fn html(&self, first: &mut bool) -> String {
        match self {
            Part::Text(text) => format!("<p>{}</p>", escaped(text)),
            Part::Wrong(text) => format!("<p class=\"wrong\" role=\"alert\">{}</p>", escaped(text)),
            Part::Field { name, label, kind, value, autocomplete } => format!(
                "<label>{}<input name=\"{}\" type=\"{}\" value=\"{}\" autocomplete=\"{}\" autofocus required></label>",
                escaped(label),
                escaped(name),
                escaped(kind),
                escaped(value),
                escaped(autocomplete)
            ),
            Part::Hidden { name, value } => {
                format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escaped(name), escaped(value))
            }
            Part::Button { name, value, label } => {
                let class = if std::mem::replace(first, false) { " class=\"first\"" } else { "" };
                // A refusal has to work with an empty field.
                let free = if class.is_empty() { " formnovalidate" } else { "" };
                format!(
                    "<button name=\"{}\" value=\"{}\"{class}{free}>{}</button>",
                    escaped(name),
                    escaped(value),
                    escaped(label)
                )
            }
        }
    }
}

/// Text as an element or an attribute in double quotes may hold it.
pub(in crate::emulator) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_request_says_is_only_text() {
        let nasty = "\"><script>'&";
        let page = Page {
            title: nasty,
            action: Some(nasty),
            parts: &[
                Part::Text(nasty),
                Part::Wrong(nasty),
                Part::Field { name: "a", label: nasty, kind: "text", value: nasty, autocomplete: "off" },
                Part::Hidden { name: "b", value: nasty },
                Part::Button { name: "c", value: nasty, label: nasty },
            ],
            status: 200,
        };
        let html = page.html("n");
        assert!(!html.contains("<script") && !html.contains(nasty), "{html}");
        assert_eq!(html.matches("&lt;script&gt;").count(), 10, "{html}");
    }
}
