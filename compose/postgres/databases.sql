CREATE DATABASE temporal_visibility;
CREATE DATABASE workers;
