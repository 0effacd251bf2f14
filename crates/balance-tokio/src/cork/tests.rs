//! Streams under a cork, over real sockets.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    runtime::Builder,
    time::{Duration, sleep},
};

use super::*;

/// Runs a scene with a stream under a cork and its other end, on a thread that uncorks or not.
fn scene<F: Future>(uncorks: bool, scene: impl FnOnce(Corked, TcpStream) -> F) -> F::Output {
    CORKED.set(None);
    let mut builder = Builder::new_current_thread();
    if uncorks {
        builder.on_thread_park(uncork);
    }
    builder.enable_all().build().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        scene(Corked::new(near), far).await
    })
}

/// What has come; nothing waits for more.
fn arrived(far: &TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 20];
    let count = far.try_read(&mut bytes).unwrap_or(0);
    bytes.truncate(count);
    bytes
}

/// Lets the thread wait, and others have the time to hear.
async fn pause() {
    sleep(Duration::from_millis(20)).await;
}

#[test]
fn what_is_written_leaves_when_the_thread_has_nothing_else_to_do() {
    scene(true, async |mut near, mut far| {
        near.write_all(b"head").await.unwrap();
        near.write_all(b", body").await.unwrap();
        near.flush().await.unwrap();
        assert!(lock(&near.sending).waits);
        let mut bytes = [0; 32];
        let count = far.read(&mut bytes).await.unwrap();
        assert_eq!(&bytes[..count], b"head, body");
        assert!(!lock(&near.sending).waits);
    });
}

#[test]
fn a_thread_that_does_not_uncork_holds_nothing() {
    scene(false, async |mut near, far| {
        near.write_all(b"at once").await.unwrap();
        assert!(lock(&near.sending).held.is_empty());
        pause().await;
        assert_eq!(arrived(&far), b"at once");
    });
}

#[test]
fn what_is_too_long_to_be_held_leaves_behind_what_was_held() {
    scene(true, async |mut near, far| {
        let long = vec![b'b'; HELD_BYTES];
        near.write_all(b"a").await.unwrap();
        near.write_all(&long).await.unwrap();
        assert!(lock(&near.sending).held.is_empty());
        near.write_all(b"c").await.unwrap();
        pause().await;
        assert_eq!(arrived(&far), [b"a", &long[..], b"c"].concat());
    });
}

#[test]
fn when_many_wait_they_wait_no_longer() {
    scene(true, async |mut near, far| {
        let mut others = Vec::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for _ in 1..WAITING {
            let other = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            others.push((Corked::new(other), listener.accept().await.unwrap()));
        }
        near.write_all(b"first").await.unwrap();
        for (other, _) in &mut others {
            assert!(lock(&near.sending).waits);
            other.write_all(b"next").await.unwrap();
        }
        assert!(!lock(&near.sending).waits);
        pause().await;
        assert_eq!(arrived(&far), b"first");
    });
}

#[test]
fn a_reader_that_is_slow_gets_all_of_it_in_order() {
    let sent: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    scene(true, async |mut near, mut far| {
        let expected = sent.clone();
        let reading = tokio::spawn(async move {
            let mut got = Vec::new();
            let mut piece = [0; 50_000];
            while got.len() < expected.len() {
                // As often as not the writer has filled what the system takes.
                tokio::task::yield_now().await;
                let count = far.read(&mut piece).await.unwrap();
                got.extend_from_slice(&piece[..count]);
            }
            assert!(got == expected);
        });
        for piece in sent.chunks(5_000) {
            near.write_all(piece).await.unwrap();
        }
        near.flush().await.unwrap();
        reading.await.unwrap();
    });
}

#[test]
fn what_the_system_does_not_take_is_left_to_the_task_that_is_woken() {
    scene(true, async |mut near, mut far| {
        let mut written = 0;
        while lock(&near.sending).held.is_empty() {
            near.write_all(&[b'x'; 8_000]).await.unwrap();
            written += 8_000;
            sleep(Duration::from_millis(1)).await;
        }
        assert!(!lock(&near.sending).waits);
        let reading = tokio::spawn(async move {
            let mut bytes = vec![0; written];
            far.read_exact(&mut bytes).await.unwrap();
        });
        near.flush().await.unwrap();
        assert!(lock(&near.sending).held.is_empty());
        reading.await.unwrap();
    });
}

#[test]
fn a_shutdown_and_a_drop_come_after_what_was_held() {
    scene(true, async |mut near, mut far| {
        near.write_all(b"bye").await.unwrap();
        near.shutdown().await.unwrap();
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"bye");
    });
    scene(true, async |mut near, mut far| {
        near.write_all(b"bye").await.unwrap();
        drop(near);
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"bye");
    });
}

#[test]
fn that_nobody_is_there_any_more_is_told_to_the_task() {
    scene(true, async |mut near, far| {
        far.set_zero_linger().unwrap();
        drop(far);
        pause().await;
        near.write_all(b"hello?").await.unwrap();
        pause().await;
        assert!(near.flush().await.is_err());
    });
}
