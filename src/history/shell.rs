//! The history for async code: one thread writes, in the order in which it was asked.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::exclusive::Exclusive;
use super::{Book, HistoryError, Reader, Write};

/// Orders that may wait for the writer; whoever comes then waits with them. The dispatcher waits for each of its own, so
/// that this is only about the few others.
const ORDERS_MAX: usize = 64;

enum Order {
    Do(Box<dyn FnOnce(&mut Book) + Send>),
    Close(oneshot::Sender<()>),
}

/// The history, open for the one dispatcher. Cheap to clone; the file is closed when the last clone is gone.
#[derive(Clone)]
pub struct History {
    orders: mpsc::Sender<Order>,
    file: Arc<Path>,
    /// A connection that nobody reads with at the moment.
    reader: Arc<Mutex<Option<Reader>>>,
}

impl History {
    /// Opens the history at `path` as [`Book::open`] does, for this process alone: a second one that asks gets an error.
    /// Blocks for as long as looking through the file takes.
    ///
    /// # Errors
    /// As [`Book::open`]; [`HistoryError::Locked`] if another process dispatches by it.
    pub fn open_exclusively(path: &Path) -> Result<History, HistoryError> {
        let exclusive = Exclusive::take(path)?;
        let mut book = Book::open(path)?;
        book.shortens_log_itself()?;
        let file = book.file().into();
        let (orders, mut ordered) = mpsc::channel::<Order>(ORDERS_MAX);
        thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                let mut closing = None;
                while let Some(order) = ordered.blocking_recv() {
                    match order {
                        Order::Do(work) => {
                            work(&mut book);
                            // The database would do it within the commit that finds its log long, and whoever waits for
                            // that would wait for two more writes to the disk.
                            if ordered.is_empty() {
                                book.shorten_log();
                            }
                        }
                        Order::Close(closed) => {
                            closing = Some(closed);
                            break;
                        }
                    }
                }
                // The file is closed before another process may have it.
                drop(book);
                drop(exclusive);
                // Nobody may be waiting any more.
                let _ = closing.map(|closed| closed.send(()));
            })
            .map_err(|error| HistoryError::Other {
                file: path.to_owned(),
                what: format!("no thread to write it: {error}"),
            })?;
        Ok(History { orders, file, reader: Arc::default() })
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// [`Book::commit`]: everything or nothing, durable when it returns.
    ///
    /// # Errors
    /// As [`Book::commit`].
    ///
    /// # Cancel safety
    /// Not cancel safe: dropped, it may still be written, or not.
    pub async fn commit(&self, writes: Vec<Write>) -> Result<(), HistoryError> {
        self.with(move |book| book.commit(&writes)).await
    }

    /// Does `work` on the writer's thread, after what was asked before.
    ///
    /// # Errors
    /// Those of `work`; [`HistoryError::Other`] if a panic has ended the writer.
    ///
    /// # Cancel safety
    /// Not cancel safe: dropped, it may still be done, or not.
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Book) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let (answer, answered) = oneshot::channel();
        let order = Order::Do(Box::new(move |book| {
            // Nobody may be waiting any more.
            let _ = answer.send(work(book));
        }));
        let gone =
            || HistoryError::Other { file: self.file.to_path_buf(), what: "its writer has ended".to_owned() };
        self.orders.send(order).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Does `work` with a connection that only reads, on a thread for blocking work: it holds up no writer, and sees what
    /// was committed before.
    ///
    /// # Errors
    /// Those of `work`, and of a file that cannot be opened.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is changed.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let (file, kept) = (Arc::clone(&self.file), Arc::clone(&self.reader));
        let reading = move || {
            let taken = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
            let reader = taken.map_or_else(|| Reader::open(&file), Ok)?;
            let read = work(&reader);
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader);
            read
        };
        tokio::task::spawn_blocking(reading).await.unwrap_or_else(|error| {
            let what = format!("a read was cut short: {error}");
            Err(HistoryError::Other { file: self.file.to_path_buf(), what })
        })
    }

    /// Writes what was asked for before, closes the file, and lets others have it. Clones get an error from then on.
    ///
    /// # Cancel safety
    /// Cancel safe: it is closed all the same.
    pub async fn close(self) {
        let (closed, closing) = oneshot::channel();
        if self.orders.send(Order::Close(closed)).await.is_ok() {
            // An error: a panic has ended the writer, and with it the file is closed.
            let _ = closing.await;
        }
    }
}
