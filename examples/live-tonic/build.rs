//! Generates the gRPC client and server of `shop.Orders`, for tonic and for madsim's. Of a `.proto` file, with protoc at
//! hand, `madsim_tonic_build::compile_protos` makes both.

use std::path::PathBuf;
use std::{env, fs, io};

use madsim_tonic_build::{Attributes, client, server};
use tonic_build::manual::{Builder, Method, Service};

fn orders() -> Service {
    let place = Method::builder()
        .name("place")
        .route_name("Place")
        .input_type("crate::Order")
        .output_type("crate::Receipt")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    Service::builder().name("Orders").package("shop").method(place).build()
}

fn main() -> io::Result<()> {
    Builder::new().compile(&[orders()]);
    let (service, attributes) = (orders(), Attributes::default());
    let client = client::generate(&service, true, "", false, &attributes);
    let server = server::generate(&service, true, "", false, &attributes);
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where")).join("sim");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("shop.Orders.rs"), format!("{client}{server}"))
}
