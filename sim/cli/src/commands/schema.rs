//! `schism schema`: the JSON Schema of scenario files, for editors.

use crate::args::Schema;
use crate::commands::pretty;
use crate::console::Console;
use crate::exit::{Ending, Trouble};

pub(crate) fn execute(schema: &Schema, console: &mut Console) -> Result<Ending, Trouble> {
    let text = pretty(&schism_scenario::schema());
    console.deliver(&text, &schema.destination)?;
    Ok(Ending::Holds)
}
