"""Journeys of people in Chromium: by keyboard alone, and without script where no passkey is involved."""
