//! The yardstick: nginx as a plain reverse proxy, set up for speed on one core.
//!
//! Invariant: it does what a careful operator would have it do for such an upstream: kept-alive
//! connections, no log, and no buffering of streams.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Where the system has it.
pub(super) fn program() -> anyhow::Result<PathBuf> {
    let places = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"].map(PathBuf::from);
    let found = places.into_iter().find(|path| path.exists());
    found.context("nginx is missing: `cargo xtask machine` installs it")
}

/// The whole configuration, for an instance that has the folder to itself.
pub(super) fn configuration(listen: SocketAddr, upstream: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    let proxy = "proxy_pass http://upstream_pool; proxy_http_version 1.1; proxy_set_header Connection \"\";";
    format!(
        r#"
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    tcp_nodelay on;
    keepalive_timeout 600s;
    keepalive_requests 100000000;
    client_max_body_size 100m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream upstream_pool {{
        server {upstream};
        keepalive 1024;
        keepalive_requests 100000000;
        keepalive_timeout 600s;
    }}
    server {{
        listen {listen} backlog=1024;
        location / {{ {proxy} }}
        location ~ :streamGenerateContent$ {{ {proxy} proxy_buffering off; proxy_read_timeout 600s; }}
    }}
}}
"#
    )
}
