//! Whether an answer is a web page, and what it says it is: proxies and gateways put theirs in a service's place.

/// What came, in words for people, if `body` is an HTML page. What it says of itself is not escaped.
pub fn said(body: &str) -> Option<String> {
    let page = body.trim_start_matches('\u{feff}').trim_start();
    page.starts_with('<').then(|| {
        let title = title(page).unwrap_or("without a title");
        format!("an HTML page came instead of an answer: {title}")
    })
}

/// What an HTML page says it is: its title, else its first heading.
fn title(page: &str) -> Option<&str> {
    // As long as the page: places in it are places in the page.
    let small = page.to_ascii_lowercase();
    ["title", "h1"].iter().find_map(|tag| {
        let tag_start = small.find(&format!("<{tag}"))?;
        let start = tag_start + small[tag_start..].find('>')? + 1;
        let end = start + small[start..].find(&format!("</{tag}>"))?;
        Some(page[start..end].trim()).filter(|title| !title.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_its_title_or_its_heading() {
        for (page, name) in [
            ("<html><title>Blocked</title></html>", "Blocked"),
            ("\u{feff}\n<!DOCTYPE html><HTML><TITLE lang=\"de\"> Gesperrt \n</TITLE>", "Gesperrt"),
            ("<html><title> </title><h1>a</h1>", "a"),
            ("<html><title>cut off", "without a title"),
            ("<html><p>nothing", "without a title"),
            ("<", "without a title"),
        ] {
            let words = format!("an HTML page came instead of an answer: {name}");
            assert_eq!(said(page).as_deref(), Some(words.as_str()), "{page}");
        }
    }

    #[test]
    fn other_texts_are_no_pages() {
        for text in ["", "{\"error\":\"<html>\"}", "too many requests", "a < b"] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
