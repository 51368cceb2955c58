// Validates YAML files against a JSON Schema with ajv, as its users do.
//
//   node validate.mjs FOLDER_OF_NODE_MODULES SCHEMA FILE…
//
// Prints `valid FILE` or `refused FILE` for each. Exit code 2: the schema itself is wrong.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, schemaPath, ...files] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { default: Ajv2020 } = require("ajv/dist/2020");
const YAML = require("yaml");

const schema = JSON.parse(readFileSync(schemaPath, "utf8"));
// `strictTypes` and `strictRequired` would refuse styles that are right: a list of types, a key required beside `properties`.
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
let validate;
try {
  validate = ajv.compile(schema);
} catch (error) {
  console.error(error.message);
  process.exit(2);
}
for (const file of files) {
  let valid = false;
  try {
    valid = YAML.parseAllDocuments(readFileSync(file, "utf8")).every((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return validate(document.toJS({ maxAliasCount: 100 }));
    });
  } catch {
    // What is not YAML is refused, too.
  }
  console.log(`${valid ? "valid" : "refused"} ${file}`);
}
