//! `schism schema`: the JSON Schema of scenario files, for editors.

use crate::args::Schema;
use crate::commands::pretty;
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::files;

pub(crate) fn execute(schema: &Schema, console: &mut Console) -> Result<Ending, Trouble> {
    let text = pretty(&schism_scenario::schema());
    match schema.output.as_deref() {
        Some(path) if !files::is_dash(path) => files::write(path, &text)?,
        Some(_) | None => console.print(&text)?,
    }
    Ok(Ending::Holds)
}
