-- The settings that say what clients may ask for, as the running deployment has them: operators' commands read
-- them here, whatever the environment of their shell says.
ALTER TABLE deployment ADD COLUMN IF NOT EXISTS settings jsonb;
