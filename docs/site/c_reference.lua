-- c_reference.lua: the pages of the C reference, as Markdown, from the public
-- headers.
local disk = require "docs.site.disk"
local header = require "docs.site.header"

local reference = {}

reference.headers = { "runtime/quoll.h", "bindings/quoll_lua.h" }

-- Plain text, but *emphasis*; names of functions are code.
local function prose(text)
    return (text:gsub("[*_<%[|#~]", "\\%0")
        :gsub("\\%*(%a+)\\%*", "*%1*")
        :gsub("ql\\_[%w\\_]+%(?%)?", function(name)
            return "`" .. name:gsub("\\", "") .. "`"
        end))
end

-- A line of a comment, in which `code` is left alone.
local function line_of(line)
    return (line:gsub("()([^`]+)", function(at, part)
        local quotes = select(2, line:sub(1, at - 1):gsub("`", ""))
        return quotes % 2 == 0 and prose(part) or nil
    end))
end

-- A comment is prose, with code by four spaces, and what is to stay as it is by
-- two.
local function words(text)
    local out, kept = {}, false
    for line in ((text or "") .. "\n"):gmatch "([^\n]*)\n" do
        kept = line:find "^  " and (kept or line:find "^  [^ ]")
        line = kept and "  " .. line or line
        if not line:find "^    " then
            line = line_of(line)
        end
        out[#out + 1] = line
    end
    return table.concat(out, "\n")
end

local kinds = { macro = "macro", type = "type", opaque = "type, opaque",
    enum = "constants", ["function"] = "function" }

-- Constants are found by their names, too.
local function constants(entry, out)
    if entry.kind == "enum" then
        local bare = entry.text:gsub("/%*.-%*/", "")
        for name in bare:match("{(.*)}"):gmatch "([%u][%u%d_]+)" do
            if name ~= entry.name then
                out[#out + 1] = ('<a class="alias" id="%s"></a>'):format(name)
            end
        end
    end
end

local function entry_text(path, entry, out)
    out[#out + 1] = ""
    constants(entry, out)
    out[#out + 1] = ("\n### `%s` {#%s}\n"):format(entry.name, entry.name)
    out[#out + 1] = "```c\n" .. entry.text .. "\n```\n"
    out[#out + 1] = words(entry.words)
    out[#out + 1] = ('\n<p class="where">%s · <a href="../../%s#L%d">source'
        .. "</a></p>"):format(kinds[entry.kind], path, entry.line)
end

local function page(root, path, named)
    local name = path:match "[^/]+$"
    local out = reference.place(name)
    local parsed = header.parse(disk.read(root .. "/" .. path))
    local lines = { "# " .. name:gsub("_", "\\_"), "",
        words((parsed.words or ""):gsub("^[%w_]+%.h: (%l)", string.upper)) }
    for _, section in ipairs(parsed.sections) do
        if section.entries[1] then
            lines[#lines + 1] = ("\n## %s%s {#section-%s}\n"):format(
                section.name:sub(1, 1):upper(), section.name:sub(2),
                section.name:gsub("%W", "-"))
            lines[#lines + 1] = words(section.words)
        end
        for _, entry in ipairs(section.entries) do
            entry_text(path, entry, lines)
            named[entry.name] = out .. "#" .. entry.name
        end
    end
    return { title = name, out = out, text = table.concat(lines, "\n"),
        source = "reference/c/" .. name .. ".md", parsed = parsed }
end

function reference.place(name)
    return "reference/c/" .. name .. ".html"
end

-- The pages, and where each name is: { ql_stats = "reference/c/...#ql_stats" }
function reference.pages(root)
    local pages, named = {}, {}
    for _, path in ipairs(reference.headers) do
        pages[#pages + 1] = page(root, path, named)
    end
    return pages, named
end

return reference
