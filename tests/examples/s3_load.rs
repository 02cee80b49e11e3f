//! What a small GET costs the client of S3: `cargo run --profile proof -p highwater-tests --example s3_load [GETS]`.
//!
//! The server is a process of its own, so that its time does not count. Prints, for one worker and for eight, the time
//! of the processor and of the wall for each GET of 1,500 bytes, with and without signatures.
#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use highwater::s3::credentials::{Credentials, Source};
use highwater::s3::{Ask, Client, Settings};
use highwater_tests::s3::{KEY, REGION, SECRET, Server};
use rustix::time::{ClockId, clock_gettime};

const KEYS: u64 = 1_000;

fn main() {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "50000".to_owned());
    if argument == "serve" {
        return serve();
    }
    let gets: u64 = argument.parse().expect("how many GETs");
    let mut server = Command::new(std::env::current_exe().expect("this program"))
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a server");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("a pipe")).read_line(&mut line).expect("its address");
    let address: SocketAddr = line.trim().parse().expect("an address");
    for workers in [1, 8] {
        for signed in [true, false] {
            measure(address, gets, workers, signed);
        }
    }
    // It ends with its standard input.
    drop(server.stdin.take());
    server.wait().expect("it ends");
}

fn serve() {
    let server = Server::start();
    server.be_quiet();
    server.shelves(|shelves| {
        shelves.bucket("load-bucket").public = true;
        for key in 0..KEYS {
            shelves.put("load-bucket", name(key).as_bytes(), &[b'x'; 1_500]);
        }
    });
    println!("{}", server.address());
    let _ = std::io::stdin().read(&mut [0]);
}

fn name(key: u64) -> String {
    format!("some/folder/of/a/zarr/{}/{}", key % 10, key)
}

fn measure(address: SocketAddr, gets: u64, workers: u64, signed: bool) {
    let client = Client::new(Settings {
        endpoint: Some(format!("http://{address}")),
        region: Some(REGION.to_owned()),
        sources: if signed { vec![Source::Fixed(Credentials::new(KEY, SECRET, None, None))] } else { Vec::new() },
        ..Settings::anonymous()
    });
    let client = client.expect("a client");
    let next = AtomicU64::new(0);
    let (cpu, wall) = (processor(), Instant::now());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= gets {
                        return;
                    }
                    let key = name(at % KEYS);
                    let (_, body) =
                        client.get_bytes(&Ask::latest("load-bucket", key.as_bytes()), 9_999).expect("an object");
                    assert_eq!(body.len(), 1_500);
                }
            });
        }
    });
    let (cpu, wall) = (processor() - cpu, wall.elapsed());
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(u32::try_from(gets).expect("not so many"));
    let signed = if signed { "signed" } else { "unsigned" };
    println!(
        "{workers} workers, {signed}: {:.1} µs of the processor, {:.1} µs of the wall each",
        each(cpu),
        each(wall)
    );
}

/// The processor time of this process.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().expect("not negative"), time.tv_nsec.try_into().expect("not negative"))
}
