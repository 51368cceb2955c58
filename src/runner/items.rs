//! The items of a step: in memory up to a bound, then in a file that has no name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use serde_json::Value;

use crate::spec::template::StepItems;

/// Items beyond this many bytes go to a temporary file, so that a run's memory does not grow with the tenant.
const MEMORY_BYTES_MAX: usize = 256 * 1024;
const WRITE_BUFFER_BYTES: usize = 64 * 1024;

/// Takes items, one JSON text each.
#[derive(Debug, Default)]
pub struct Spool {
    /// Bytes that are not in the file yet; all of them as long as there is no file.
    buffer: Vec<u8>,
    file: Option<File>,
    count: u64,
}

impl Spool {
    /// Adds one item: its JSON, on one line and without that line's end.
    ///
    /// # Errors
    /// If the temporary file cannot be made or written; the text names the mend.
    pub fn push(&mut self, item: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(item);
        self.buffer.push(b'\n');
        self.count += 1;
        self.spill()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Spool::default();
    }

    /// Adds the items of `other`, in their order.
    ///
    /// # Errors
    /// As [`Spool::push`].
    pub fn append(&mut self, other: &Items) -> io::Result<()> {
        let mut reader = other.reader();
        let mut chunk = vec![0; WRITE_BUFFER_BYTES];
        loop {
            let read = reader.read(&mut chunk)?;
            if read == 0 {
                break;
            }
            self.buffer.extend_from_slice(&chunk[..read]);
            self.spill()?;
        }
        self.count += other.count;
        Ok(())
    }

    /// The items, to be read as often as needed.
    ///
    /// # Errors
    /// As [`Spool::push`].
    pub fn finish(mut self) -> io::Result<Items> {
        let store = match self.file.take() {
            None => Store::Memory(self.buffer.into()),
            Some(mut file) => {
                file.write_all(&self.buffer).map_err(named)?;
                Store::File(Arc::new(file))
            }
        };
        Ok(Items { store, count: self.count })
    }

    fn spill(&mut self) -> io::Result<()> {
        let bound = if self.file.is_some() { WRITE_BUFFER_BYTES } else { MEMORY_BYTES_MAX };
        if self.buffer.len() < bound {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile().map_err(named)?),
        };
        file.write_all(&self.buffer).map_err(named)?;
        self.buffer.clear();
        self.buffer.shrink_to(WRITE_BUFFER_BYTES * 2);
        Ok(())
    }
}

fn named(error: io::Error) -> io::Error {
    let folder = std::env::temp_dir();
    let text = format!("temporary file in {}: {error} (TMPDIR names another folder)", folder.display());
    io::Error::new(error.kind(), text)
}

/// The items of a finished step.
#[derive(Clone, Debug)]
pub struct Items {
    store: Store,
    count: u64,
}

#[derive(Clone, Debug)]
enum Store {
    Memory(Arc<[u8]>),
    File(Arc<File>),
}

impl Items {
    /// Reads the items from the first on; several readers do not disturb each other.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<Value>> + Send + use<> {
        let mut lines = BufReader::new(self.reader());
        let mut line = Vec::new();
        std::iter::from_fn(move || {
            line.clear();
            match lines.read_until(b'\n', &mut line) {
                Ok(0) => None,
                Ok(_) => Some(serde_json::from_slice(&line).map_err(io::Error::from)),
                Err(error) => Some(Err(error)),
            }
        })
    }

    /// Writes the items to `writer` as they are kept: each on a line of its own.
    ///
    /// # Errors
    /// As reading and writing have them.
    pub fn write_lines(&self, writer: &mut impl Write) -> io::Result<()> {
        let mut reader = self.reader();
        let mut chunk = vec![0; WRITE_BUFFER_BYTES];
        loop {
            match reader.read(&mut chunk)? {
                0 => return Ok(()),
                read => writer.write_all(&chunk[..read])?,
            }
        }
    }

    fn reader(&self) -> Reader {
        Reader { store: self.store.clone(), at: 0 }
    }
}

impl StepItems for Items {
    fn count(&self) -> u64 {
        self.count
    }

    fn items(&self) -> Box<dyn Iterator<Item = io::Result<Value>> + Send> {
        Box::new(self.iter())
    }
}

/// A place in the store; the file's own offset is not used.
struct Reader {
    store: Store,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &self.store {
            Store::Memory(bytes) => {
                let rest = usize::try_from(self.at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
                let length = rest.len().min(buffer.len());
                buffer[..length].copy_from_slice(&rest[..length]);
                length
            }
            Store::File(file) => file.read_at(buffer, self.at)?,
        };
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spooled(count: u64) -> Items {
        let mut spool = Spool::default();
        for number in 0..count {
            let item = json!({"Number": number, "Text": "line\nbreak and ünïcode"});
            spool.push(item.to_string().as_bytes()).unwrap();
        }
        spool.finish().unwrap()
    }

    #[test]
    fn items_come_back_in_order_from_memory_and_from_the_file() {
        for count in [0, 3, 50_000] {
            let items = spooled(count);
            assert_eq!(matches!(items.store, Store::File(_)), count == 50_000);
            assert_eq!(items.count(), count);
            let numbers = items.iter().map(|item| item.unwrap()["Number"].as_u64().unwrap());
            assert!(numbers.eq(0..count));
        }
    }

    #[test]
    fn two_readers_do_not_disturb_each_other() {
        let items = spooled(20_000);
        let mut first = items.iter();
        let mut second = items.iter();
        for number in 0..20_000_u64 {
            assert_eq!(first.next().unwrap().unwrap()["Number"], number);
            assert_eq!(second.next().unwrap().unwrap()["Number"], number);
        }
        assert!(first.next().is_none() && second.next().is_none());
    }

    #[test]
    fn appended_items_follow_those_that_were_there() {
        let mut spool = Spool::default();
        spool.append(&spooled(2)).unwrap();
        spool.append(&spooled(20_000)).unwrap();
        spool.append(&spooled(1)).unwrap();
        let items = spool.finish().unwrap();
        assert_eq!(items.count(), 20_003);
        assert_eq!(items.iter().count(), 20_003);
        assert_eq!(items.iter().last().unwrap().unwrap()["Number"], 0);
    }

    #[test]
    fn a_cleared_spool_is_empty() {
        let mut spool = Spool::default();
        spool.push(b"1").unwrap();
        spool.clear();
        let items = spool.finish().unwrap();
        assert_eq!((items.count(), items.iter().count()), (0, 0));
    }
}
