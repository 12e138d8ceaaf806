//! The connection that hears what other processes do.

use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;
use tokio_postgres::{AsyncMessage, NoTls};

use super::link::{Link, Place, pg};
use super::read;
use crate::Result;
use crate::job::signals::Signals;

/// Between two attempts to connect.
const AGAIN: Duration = Duration::from_millis(500);

/// Listens until it is dropped. `own` is the number of the connection whose changes this process knows already.
pub(super) async fn serve(place: Place, signals: &Signals, own: watch::Receiver<i32>) {
    let mut link = Link::new(place.clone());
    loop {
        if let Err(error) = listen(&place, &mut link, signals, &own).await {
            tracing::warn!(%error, "PostgreSQL cannot be listened to");
        }
        link.close();
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen(
    place: &Place,
    link: &mut Link,
    signals: &Signals,
    own: &watch::Receiver<i32>,
) -> Result<()> {
    let (client, mut connection) = place
        .config
        .connect(NoTls)
        .await
        .map_err(|e| pg("cannot connect to PostgreSQL", e))?;
    let (heard, mut hear) = unbounded_channel();
    let driver = tokio::spawn(async move {
        // Ends with the connection; the receiver sees it.
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(notification) = message
                && heard.send(notification.process_id()).is_err()
            {
                return;
            }
        }
    });
    client
        .batch_execute(&format!("LISTEN {}", place.channel()))
        .await
        .map_err(|e| pg("cannot listen to PostgreSQL", e))?;
    // What happened before is not heard of.
    look(link, signals).await?;
    while let Some(pid) = hear.recv().await {
        let mut elsewhere = pid != *own.borrow();
        // Many at once need one look.
        while let Ok(pid) = hear.try_recv() {
            elsewhere |= pid != *own.borrow();
        }
        if elsewhere && signals.anybody_interested() {
            look(link, signals).await?;
        }
    }
    driver.abort();
    drop(client);
    Ok(())
}

async fn look(link: &mut Link, signals: &Signals) -> Result<()> {
    let waited = signals.waited_for();
    let seen = match waited.is_empty() {
        true => Vec::new(),
        false => read::glance(link, waited).await?,
    };
    signals.tell_elsewhere(&seen);
    Ok(())
}
