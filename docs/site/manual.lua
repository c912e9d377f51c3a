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

-- The entries in order: { name =, params = (nil: no function), waits =,
-- partial =, section = (the heading above), text = (below it) }
function manual.parse(text)
    local entries, section = {}, nil
    local last
    for line in text:gmatch "([^\n]*)\n" do
        local name, rest = line:match "^### `([%w_.:]+)(.*)$"
        if name then
            local args, flags = rest:match "^%((.-)%)`(.*)$"
            last = { name = name, params = args and params(args),
                heading = line:match "`(.-)`", section = section, text = {},
                waits = flags ~= nil and flags:find "~" ~= nil,
                partial = flags ~= nil and flags:find "%*" ~= nil }
            entries[#entries + 1] = last
        elseif line:find "^#+ " then
            section, last = line:match "^## (.+)$" or section, nil
        elseif last then
            last.text[#last.text + 1] = line
        end
    end
    for _, entry in ipairs(entries) do
        entry.text = table.concat(entry.text, "\n")
    end
    return entries
end

function manual.read(root)
    local file = assert(io.open(root .. "/docs/API.md"))
    local text = file:read "*a"
    file:close()
    return manual.parse(text)
end

return manual
