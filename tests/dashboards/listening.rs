//! Programs that say on their standard error where they listen.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

const HANG: Duration = Duration::from_secs(30);

/// Waits until `child` has written a line of which `place` gives the address.
pub(crate) async fn listening(child: &mut Child, place: impl Fn(&str) -> Option<String>) -> String {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = String::new();
    let found = tokio::time::timeout(HANG, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            said.push_str(&line);
            said.push('\n');
            if let Some(address) = place(&line) {
                return Some(address);
            }
        }
        None
    });
    let address = found.await.ok().flatten().unwrap_or_else(|| panic!("it does not listen:\n{said}"));
    // Else the program would stand still once its pipe is full.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    address
}

/// What stands behind `address=` in a log line.
pub(crate) fn address(line: &str) -> Option<String> {
    let address = line.split("address=").nth(1)?.split_whitespace().next()?;
    Some(address.trim_matches('"').to_owned())
}
