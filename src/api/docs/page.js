// Shows /api/openapi.json. All of it is text: nothing of the document is taken as markup.
const METHODS = ["get", "post", "put", "patch", "delete"];

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

// A description: what stands between backquotes is code.
function prose(text) {
  return (text ?? "").split("`").map((part, index) => (index % 2 === 1 ? element("code", part) : part));
}

// The bounds of a value, as people write them.
function bounds(schema) {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, pattern } = schema;
  const range = (low, high, of) => (low === undefined && high === undefined ? [] : [`${low ?? ""}…${high ?? ""}${of}`]);
  return [
    ...range(minimum, maximum, ""),
    ...range(minLength, maxLength, " characters"),
    ...range(minItems, maxItems, " elements"),
    ...(pattern ? [pattern] : []),
  ];
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
  const more = [...(schema.format ? [schema.format] : []), ...bounds(schema)];
  return [more.length > 0 ? `${kinds} (${more.join(", ")})` : kinds];
}

function table(rows) {
  const body = element("tbody");
  for (const [name, kind, about] of rows) {
    body.append(element("tr", element("td", name), element("td", ...kind), element("td", ...prose(about))));
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
  const title = element("h3", `${method.toUpperCase()} ${path}`);
  title.id = said.operationId;
  return [title, element("p", ...prose(said.summary)), table(rows)];
}

function fields(schema) {
  const own = Object.entries(schema.properties ?? {});
  const needed = new Set(schema.required ?? []);
  const about = (of) => of.description ?? of.oneOf?.find((one) => one.description)?.description;
  const rows = own.map(([name, of]) => [needed.has(name) ? `${name} *` : name, type(of), about(of)]);
  // What else it is made of: another type whole, or fields beside that.
  const parts = schema.allOf ?? [];
  return [...parts.flatMap((part) => (part.$ref ? [["and all of", type(part), ""]] : fields(part))), ...rows];
}

// Where each operation stands, by what it is of.
function contents(operations) {
  const byTag = new Map();
  for (const one of operations) {
    const tag = one.said.tags?.[0] ?? "others";
    byTag.set(tag, [...(byTag.get(tag) ?? []), one]);
  }
  return [...byTag].map(([tag, ofTag]) => {
    const links = ofTag.map(({ path, method, said }) => {
      const link = element("a", `${method.toUpperCase()} ${path}`);
      link.href = `#${said.operationId}`;
      return element("li", link);
    });
    return element("details", element("summary", `${tag} (${links.length})`), element("ul", ...links));
  });
}

async function show() {
  const about = document.getElementById("about");
  const reply = await fetch("/api/openapi.json");
  if (!reply.ok) {
    about.textContent = `/api/openapi.json could not be read: ${reply.status}`;
    return;
  }
  const api = await reply.json();
  about.replaceChildren(...prose(api.info.description));
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, said: item[method] })),
  );
  document.getElementById("contents").append(...contents(operations));
  const section = document.getElementById("operations");
  for (const { path, method, said } of operations) section.append(...operation(path, method, said));
  const types = document.getElementById("types");
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    const title = element("h3", name);
    title.id = name;
    const rows = fields(schema);
    types.append(title, element("p", ...prose(schema.description)));
    types.append(rows.length > 0 ? table(rows) : element("p", element("code", ...type(schema))));
  }
}

show();
