// Shows /api/openapi.json. All of it is text: nothing of the document is taken as markup.
const METHODS = ["get", "post", "patch", "delete"];

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

// What a schema says of a type, as text and links to the types below.
function type(schema) {
  if (schema === undefined) return [];
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    const link = element("a", name);
    link.href = `#${name}`;
    return [link];
  }
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" | ")];
  const all = schema.oneOf ?? schema.anyOf;
  if (all) return all.flatMap((one, index) => [...(index > 0 ? [" | "] : []), ...type(one)]);
  if (schema.allOf) return schema.allOf.flatMap((one, index) => [...(index > 0 ? [" & "] : []), ...type(one)]);
  if (schema.items) return [...type(schema.items), "[]"];
  if (schema.properties) {
    const fields = Object.entries(schema.properties);
    return ["{ ", ...fields.flatMap(([name, of]) => [`${name}: `, ...type(of), "; "]), "}"];
  }
  const kinds = [schema.type ?? "any"].flat().join(" | ");
  return [schema.format ? `${kinds} (${schema.format})` : kinds];
}

function table(rows) {
  const body = element("tbody");
  for (const [name, kind, about] of rows) {
    body.append(element("tr", element("td", name), element("td", ...kind), element("td", about ?? "")));
  }
  return element("table", body);
}

function content(of) {
  const kinds = Object.entries(of?.content ?? {});
  return kinds.flatMap(([kind, { schema }], index) => [...(index > 0 ? [", "] : []), `${kind} `, ...type(schema)]);
}

function operation(path, method, said) {
  const rows = (said.parameters ?? []).map((parameter) => [
    parameter.required ? `${parameter.name} *` : parameter.name,
    type(parameter.schema),
    `${parameter.in}. ${parameter.description ?? ""}`,
  ]);
  if (said.requestBody) rows.push(["body", content(said.requestBody), ""]);
  for (const [status, response] of Object.entries(said.responses)) {
    rows.push([`→ ${status}`, content(response), response.description]);
  }
  return [element("h3", `${method.toUpperCase()} ${path}`), element("p", said.summary ?? ""), table(rows)];
}

function fields(schema) {
  const own = Object.entries(schema.properties ?? {});
  const needed = new Set(schema.required ?? []);
  return own.map(([name, of]) => [needed.has(name) ? `${name} *` : name, type(of), of.description]);
}

async function show() {
  const about = document.getElementById("about");
  const reply = await fetch("/api/openapi.json");
  if (!reply.ok) {
    about.textContent = `/api/openapi.json could not be read: ${reply.status}`;
    return;
  }
  const api = await reply.json();
  about.textContent = api.info.description;
  const operations = document.getElementById("operations");
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((method) => item[method])) {
      operations.append(...operation(path, method, item[method]));
    }
  }
  const types = document.getElementById("types");
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    const title = element("h3", name);
    title.id = name;
    const rows = fields(schema);
    types.append(title, element("p", schema.description ?? ""));
    types.append(rows.length > 0 ? table(rows) : element("p", element("code", ...type(schema))));
  }
}

show();
