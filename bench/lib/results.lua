-- What the last run of each benchmark found: a file that is a Lua table, by the
-- benchmark's name. A suite is what the report keeps of it, and of its run:
--   commit   what was measured, as git calls it
--   machine  cores, processor, kernel
--   rounds   how many; quick: short ones
--   failed   why it did not end
local results = {}

local function quoted(value)
    if type(value) ~= "number" then
        return type(value) == "string" and ("%q"):format(value)
            or tostring(value)
    elseif value ~= value then
        return "0/0"
    elseif math.abs(value) == math.huge then
        return value > 0 and "1/0" or "-1/0"
    end
    return ("%.10g"):format(value)
end

local function sorted(value)
    local names = {}
    for name in pairs(value) do
        table.insert(names, name)
    end
    table.sort(names, function(a, b)
        if type(a) == type(b) then
            return a < b
        end
        return type(a) == "number"
    end)
    return names
end

local function write(value, indent, out)
    if type(value) ~= "table" then
        table.insert(out, quoted(value))
        return
    end
    local deeper = indent .. "    "
    table.insert(out, "{\n")
    for _, name in ipairs(sorted(value)) do
        table.insert(out, ("%s[%s] = "):format(deeper, quoted(name)))
        write(value[name], deeper, out)
        table.insert(out, ",\n")
    end
    table.insert(out, indent .. "}")
end

-- The table as the source of a chunk that gives it.
function results.text(suites)
    local out = { "return " }
    write(suites, "", out)
    return table.concat(out) .. "\n"
end

-- What is kept there; an empty table where there is nothing, or, with a second
-- value that says so, something else.
function results.read(path)
    local file = io.open(path)
    if not file then
        return {}
    end
    local text = file:read("*a")
    file:close()
    local chunk = loadstring(text, "=" .. path)
    local ok, suites = pcall(chunk and setfenv(chunk, {}) or error)
    if ok and type(suites) == "table" then
        return suites
    end
    return {}, path .. " holds no results: begun anew"
end

-- Whoever reads the file meanwhile sees the old or the new one, whole.
function results.write(path, text)
    local file = assert(io.open(path .. ".new", "w"))
    assert(file:write(text))
    assert(file:close())
    assert(os.rename(path .. ".new", path))
end

-- These suites in the place of what there was of them, but for one that was
-- interrupted; run: commit, machine, rounds, quick.
function results.merge(kept, suites, run)
    for _, suite in ipairs(suites) do
        if not suite.interrupted then
            for name, value in pairs(run) do
                suite[name] = value
            end
            kept[suite.name] = suite
        end
    end
    return kept
end

return results
