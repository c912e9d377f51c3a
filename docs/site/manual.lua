-- manual.lua: what docs/API.md has: its headings are the names of functions,
-- what they take, and whether they wait.
local manual = {}

-- "a, b[, c[, d]], ..." -> { { name = "c", optional = true }, ... }
local function params(text)
    local found, depth = {}, 0
    for bracket, name in text:gmatch "([%[%]]?)([^%[%],%s]*)" do
        depth = depth + (bracket == "[" and 1 or bracket == "]" and -1 or 0)
        if name ~= "" then
            found[#found + 1] = { name = name, optional = depth > 0 }
        end
    end
    return found
end

-- The text of its own section, and of those that say more of it.
local function about(entry, sections)
    local text = { entry.section.text }
    for _, section in ipairs(sections) do
        if section ~= entry.section
            and section.text:find("`" .. entry.name, 1, true)
        then
            text[#text + 1] = section.text
        end
    end
    return table.concat(text, "\n")
end

-- The entries in order: { name =, params = (nil: no function), waits =,
-- partial = (of its failures), section = (the text of its section, and of those
-- that name it), own = (the text below its heading) }
function manual.parse(text)
    local entries, sections = {}, {}
    local section, last
    for line in text:gmatch "([^\n]*)\n" do
        local name, rest = line:match "^### `([%w_.:]+)(.*)$"
        if name then
            local args, flags = rest:match "^%((.-)%)`(.*)$"
            last = { name = name, section = section, own = "",
                params = args and params(args),
                waits = flags ~= nil and flags:find "~" ~= nil,
                partial = flags ~= nil and flags:find "%*" ~= nil }
            entries[#entries + 1] = last
        elseif line:find "^## " then
            section, last = { text = "" }, nil
            sections[#sections + 1] = section
        elseif line:find "^###" then
            last = nil
        elseif last then
            last.own = last.own .. line .. "\n"
        end
        if section then
            section.text = section.text .. line .. "\n"
        end
    end
    for _, entry in ipairs(entries) do
        entry.section = about(entry, sections)
    end
    return entries
end

-- "| `name` | default | words |": the words, and the default.
local function row(text, option)
    for line in text:gmatch "|[^\n]*" do
        local cells = {}
        for cell in line:gmatch "|%s*([^|]-)%s*%f[|]" do
            cells[#cells + 1] = cell
        end
        if cells[3] and cells[1]:find("`" .. option .. "`", 1, true) then
            return cells[2] == "" and cells[3] or cells[3] .. " ("
                .. cells[2] .. ")"
        end
    end
end

-- "* `name`, `other`: words", up to the next one.
local function bullet(text, option)
    local found
    for line in text:gmatch "[^\n]*" do
        local names, words = line:match "^%* (`[^:]-):%s+(.*)$"
        if found and line:find "^  %S" then
            found = found .. line:sub(2)
        elseif found and line ~= "" then
            break
        elseif names and names:find("`" .. option .. "`", 1, true) then
            found = words
        end
    end
    return found and found:gsub("[;.]$", "")
end

-- What the manual says of an option of an entry, in its table or its list.
function manual.option(entry, option)
    for _, text in ipairs { entry.own, entry.section } do
        local words = row(text, option) or bullet(text, option)
        if words then
            return words
        end
    end
    return ""
end

function manual.read(root)
    local file = assert(io.open(root .. "/docs/API.md"))
    local text = file:read "*a"
    file:close()
    return manual.parse(text)
end

return manual
