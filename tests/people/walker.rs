//! A person with a browser that knows forms and cookies, and nothing else: no script is needed on any page.

use std::collections::BTreeMap;

use reqwest::header::{ACCEPT, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, Response, Url};

/// A browser.
pub(crate) struct Walker {
    client: Client,
    cookies: BTreeMap<String, String>,
    pub(crate) at: Url,
    pub(crate) html: String,
    pub(crate) status: u16,
}

/// One form of a page.
pub(crate) struct Form {
    action: Url,
    pub(crate) fields: BTreeMap<String, String>,
}

impl Walker {
    /// With a certificate authority to trust, if the pages have TLS.
    pub(crate) fn new(ca_pem: Option<&str>) -> Walker {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let ca = ca_pem.map(|pem| reqwest::Certificate::from_pem(pem.as_bytes()).unwrap());
        let client = builder.tls_certs_only(ca).build().unwrap();
        let at = Url::parse("about:blank").unwrap();
        Walker { client, cookies: BTreeMap::new(), at, html: String::new(), status: 0 }
    }

    /// Opens an address, and follows redirects.
    pub(crate) async fn open(&mut self, address: &str) -> &mut Walker {
        let at = Url::parse(address).unwrap();
        let answer = self.send(self.client.get(at.clone())).await;
        self.arrive(at, answer).await
    }

    /// The page's first form, as it stands there.
    pub(crate) fn form(&self) -> Form {
        let start =
            self.html.find("<form").unwrap_or_else(|| panic!("no form at {}: {}", self.at, self.html));
        let html = &self.html[start..];
        let html = &html[..html.find("</form>").unwrap()];
        let action = attribute(html.split('>').next().unwrap(), "action").unwrap_or_default();
        let inputs = html.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap());
        let fields = inputs
            .filter_map(|input| {
                Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default()))
            })
            .collect();
        Form { action: self.at.join(&action).unwrap(), fields }
    }

    /// Fills in the page's form, and sends it.
    pub(crate) async fn fill(&mut self, filled: &[(&str, &str)]) -> &mut Walker {
        let mut form = self.form();
        form.fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.post(form).await
    }

    /// Sends a form.
    pub(crate) async fn post(&mut self, form: Form) -> &mut Walker {
        let origin = self.at.origin().ascii_serialization();
        let request = self.client.post(form.action.clone()).header(ORIGIN, origin).form(&form.fields);
        let answer = self.send(request).await;
        self.arrive(form.action, answer).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Response {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header(ACCEPT, "text/html,*/*;q=0.8").header(COOKIE, cookies.join("; "));
        request.send().await.unwrap()
    }

    async fn arrive(&mut self, mut at: Url, mut answer: Response) -> &mut Walker {
        for _ in 0..10 {
            for cookie in answer.headers().get_all(SET_COOKIE) {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(location) = answer.headers().get(LOCATION) else { break };
            at = at.join(location.to_str().unwrap()).unwrap();
            answer = self.send(self.client.get(at.clone())).await;
        }
        self.at = at;
        self.status = answer.status().as_u16();
        self.html = answer.text().await.unwrap();
        self
    }

    /// Forgets every cookie, as another browser.
    pub(crate) fn forget(&mut self) {
        self.cookies.clear();
    }
}

/// An attribute of a tag, without its escapes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let value = rest.split('"').next()?;
    let plain = value.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">");
    Some(plain.replace("&amp;", "&"))
}
